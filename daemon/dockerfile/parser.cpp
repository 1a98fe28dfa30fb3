#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/dockerfile/dockerfile.h"
#include "daemon/dockerfile/instruction_parser.h"
#include "daemon/dockerfile/lexer.h"
#include "daemon/text/fail_at.h"

namespace ingot::dockerfile {

namespace {

constexpr std::size_t kMostErrors = 20;

bool is_stage_name(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

// FROM image [AS name].
Result<Stage> stage_of(Instruction from) {
  Stage stage;
  stage.image = from.words.front();
  stage.text = std::move(from.text);
  stage.place = from.place;
  if (const Flag* platform = from.find("platform")) stage.platform = *platform;
  if (from.words.size() == 1) return stage;
  if (from.words.size() == 2 || base::to_lower(from.words[1].text) != "as") {
    return text::fail_at(from.words[1].place, ErrorKind::syntax, "behind its image FROM takes AS and a name",
                         "such as FROM debian:bookworm AS build");
  }
  if (!is_stage_name(from.words[2].text)) {
    return text::fail_at(from.words[2].place, ErrorKind::syntax,
                         "\"" + base::printable(from.words[2].text) + "\" is no name for a stage",
                         "letters, digits, \"-\", \"_\" and \".\", a letter first");
  }
  stage.name = base::to_lower(from.words[2].text);
  return stage;
}

class Parser {
 public:
  explicit Parser(std::shared_ptr<const Source> source) : lexer_(*source) { file_.source = std::move(source); }

  tl::expected<File, std::vector<Error>> run() {
    note(lexer_.directives());
    file_.escape = lexer_.escape();
    while (errors_.size() < kMostErrors) {
      Line line(*file_.source);
      auto more = lexer_.next(line);
      if (more && !*more) break;
      note(more ? add(line) : base::fail(more.error()));
    }
    if (file_.stages.empty() && errors_.empty()) {
      note(text::fail_at({file_.source.get(), 0}, ErrorKind::syntax, "this Dockerfile has no FROM",
                         "it says what a stage starts from, such as FROM debian:bookworm"));
    }
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));
    return std::move(file_);
  }

 private:
  void note(Status status) {
    if (!status) errors_.push_back(std::move(status.error()));
  }

  Status add(Line& line) {
    auto parsed = InstructionParser(line, file_.escape).parse();
    if (!parsed) {
      const std::string name = base::to_lower(line.text().substr(0, line.text().find_first_of(" \t")));
      if (name == "from") met_from_ = true;  // what follows is not at fault
      return base::fail(parsed.error());
    }
    Instruction instruction = *std::move(parsed);
    if (instruction.kind == Kind::from) {
      met_from_ = true;
      INGOT_TRY(auto stage, stage_of(std::move(instruction)));
      file_.stages.push_back(std::move(stage));
      return {};
    }
    if (!file_.stages.empty()) {
      file_.stages.back().instructions.push_back(std::move(instruction));
      return {};
    }
    if (instruction.kind == Kind::arg) {
      file_.args.push_back(std::move(instruction));
      return {};
    }
    if (met_from_) return {};
    return text::fail_at(instruction.place, ErrorKind::syntax, instruction.name + " stands before any FROM",
                         "only ARG may");
  }

  Lexer lexer_;
  File file_;
  std::vector<Error> errors_;
  bool met_from_ = false;
};

}  // namespace

tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name) {
  return Parser(std::make_shared<const Source>(text, file_name)).run();
}

}  // namespace ingot::dockerfile
