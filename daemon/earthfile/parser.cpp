#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/language.h"
#include "daemon/earthfile/lexer.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kLargestFile = 8U << 20;
constexpr std::size_t kMostErrors = 20;

Error syntax_error(const proto::Position& position, std::string message, std::string hint = {}) {
  Error error;
  error.kind = ErrorKind::syntax;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.position = position;
  return error;
}

bool is_target_name(std::string_view name) {
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : lexer_(text, name) { file_.name = name; }

  tl::expected<File, std::vector<Error>> run() {
    Statement statement;
    while (errors_.size() < kMostErrors) {
      auto more = lexer_.next(statement);
      if (!more) {
        errors_.push_back(more.error());
        break;
      }
      if (!*more) break;
      take(statement);
    }
    if (!seen_any_) {
      errors_.push_back(syntax_error({file_.name, 1, 1, ""}, "the Earthfile is empty", "begin it with VERSION 0.8"));
    }
    if (!errors_.empty()) return tl::unexpected<std::vector<Error>>(std::move(errors_));
    return std::move(file_);
  }

 private:
  void take(const Statement& statement) {
    const Word& first = statement.words.front();
    if (!seen_any_) {
      seen_any_ = true;
      if (first.text == "VERSION") return take_version(statement);
      errors_.push_back(syntax_error(first.position, "the first command of an Earthfile must be VERSION",
                                     "add the line VERSION 0.8 above it"));
    }
    if (first.text.ends_with(':') && statement.words.size() == 1) return take_target(statement);
    take_command(statement);
  }

  void take_version(const Statement& statement) {
    for (std::size_t i = 1; i < statement.words.size(); ++i) {
      const Word& word = statement.words[i];
      if (word.text.starts_with("--")) {
        take_feature(word);
      } else if (!file_.version.empty()) {
        errors_.push_back(syntax_error(word.position, "VERSION takes one version"));
      } else if (word.text == "0.6" || word.text == "0.7" || word.text == "0.8") {
        file_.version = word.text;
      } else {
        errors_.push_back(syntax_error(word.position, "\"" + word.text + "\" is no Earthfile version that Ingot knows",
                                       "0.6, 0.7 and 0.8 are"));
        file_.version = "0.8";
      }
    }
    if (file_.version.empty()) {
      errors_.push_back(
          syntax_error(statement.words.front().position, "VERSION needs a version", "such as VERSION 0.8"));
    }
  }

  void take_feature(const Word& word) {
    std::string name = word.text.substr(2);
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      if (name.substr(equals + 1) != "true") {
        errors_.push_back(
            syntax_error(word.position, "a feature flag of VERSION can only be turned on", "leave out " + word.text));
      }
      name.resize(equals);
    }
    const auto& known = version_features();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      errors_.push_back(
          syntax_error(word.position, "VERSION knows no flag --" + name, base::did_you_mean(name, known)));
    }
    file_.features.push_back(name);
  }

  void take_target(const Statement& statement) {
    const Word& word = statement.words.front();
    const std::string name = word.text.substr(0, word.text.size() - 1);
    if (statement.indent > 0) {
      errors_.push_back(
          syntax_error(word.position, "a target begins at the start of its line", "remove the white space before it"));
    }
    if (!is_target_name(name)) {
      errors_.push_back(syntax_error(word.position, "\"" + base::printable(name) + "\" is no name for a target",
                                     "letters, digits, \"-\", \"_\" and \".\", a letter first"));
    } else if (name == "base") {
      errors_.push_back(
          syntax_error(word.position, "the name \"base\" is taken by the commands above the first target"));
    }
    for (const auto& target : file_.targets) {
      if (target.name != name) continue;
      errors_.push_back(syntax_error(
          word.position, fmt::format("there is a target \"{}\" already, in line {}", name, target.position.line)));
    }
    file_.targets.push_back({name, statement.comment, {}, word.position});
  }

  void take_command(const Statement& statement) {
    const Word& first = statement.words.front();
    Command command;
    command.position = first.position;
    std::size_t name_words = 1;
    command.name = first.text;
    if (statement.words.size() > 1) {
      const std::string both = first.text + " " + statement.words[1].text;
      if (find_command(both) != nullptr) {
        command.name = both;
        name_words = 2;
      }
    }
    if (find_command(command.name) == nullptr) return unknown_command(statement);
    if (command.name == "VERSION") {
      errors_.push_back(syntax_error(first.position, "VERSION may stand only once, as the first command"));
      return;
    }
    command.words.assign(statement.words.begin() + static_cast<std::ptrdiff_t>(name_words), statement.words.end());
    command.arguments = statement.text.substr(name_words == 1 ? statement.second : statement.third);
    if (!file_.targets.empty() && statement.indent == 0) {
      errors_.push_back(syntax_error(
          first.position, fmt::format("the commands of target \"{}\" must be indented", file_.targets.back().name),
          "put white space before " + command.name));
    }
    (file_.targets.empty() ? file_.base : file_.targets.back().commands).push_back(std::move(command));
  }

  void unknown_command(const Statement& statement) {
    const Word& first = statement.words.front();
    std::string hint = base::did_you_mean(first.text, command_names());
    if (first.text == "SAVE") hint = "SAVE ARTIFACT or SAVE IMAGE";
    if (first.text.find(':') != std::string::npos && hint.empty()) {
      hint = "a target is its name and \":\", alone on a line";
    }
    errors_.push_back(
        syntax_error(first.position, "there is no command \"" + base::printable(first.text) + "\"", hint));
  }

  Lexer lexer_;
  File file_;
  std::vector<Error> errors_;
  bool seen_any_ = false;
};

}  // namespace

bool File::has_feature(const std::string& feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name) {
  if (text.size() > kLargestFile) {
    return tl::unexpected<std::vector<Error>>(std::vector<Error>{
        syntax_error({file_name, 0, 0, ""}, "the Earthfile is larger than " + base::human_bytes(kLargestFile))});
  }
  return Parser(text, file_name).run();
}

std::vector<std::string> target_names(const File& file) {
  std::vector<std::string> names;
  for (const auto& target : file.targets) names.push_back(target.name);
  return names;
}

}  // namespace ingot::earthfile
