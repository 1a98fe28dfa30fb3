#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/source_directory.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

// The text of every error that the front-end has, whole, as a user sees it. golden/*.txt has cases:
//
//   === what is wrong          "raw: ..." is an Earthfile; "dockerfile: ..." a Dockerfile that one is made from;
//   "dotenv: ..."
//                              an .arg file. Any other is what stands in a target +t on debian:bookworm.
//   --- more                   targets below that one
//   --- file lib/Earthfile     another file of the project
//   --- arg NAME=value         given by the user
//   --- repository github.com/x/y   one that there is; below, its Earthfile
//   --- answer COMMAND         what a container is asked; the lines below are its output, none: it fails
//   --- anew +target           what --no-cache names
//   --- locally                LOCALLY is followed; "locally host": the host forbids it
//   --- repeatable             nothing may depend on who builds it
//   --- limit 30               how many commands are interpreted
//   --- error
//   the error
//
// <NUL> and <0xff> stand for those bytes, <100 x> for a hundred x; "|" in it for a line break, "#" for which of the
// hundred it is, "@" for the next.
// INGOT_UPDATE_GOLDEN=1 writes what the errors are now.
namespace ingot::earthfile {
namespace {

namespace fs = std::filesystem;

fs::path source_of(const std::string& path) {
  return test::source_directory() / path;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> golden_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source_of("tests/unit/daemon/earthfile/golden"))) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Section {
  std::string head;  // what stands behind "--- "
  std::string text;
};

struct Case {
  std::string title;
  std::string text;
  std::vector<Section> sections;  // all but the error
  std::string error;

  bool is(const std::string& kind) const { return title.starts_with(kind + ": "); }
};

std::vector<Case> cases_of(const std::string& text) {
  std::vector<Case> cases;
  std::istringstream lines(text);
  std::string* into = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), "", {}, ""});
      into = &cases.back().text;
    } else if (line == "--- error") {
      into = &cases.back().error;
    } else if (line.starts_with("--- ")) {
      cases.back().sections.push_back({line.substr(4), ""});
      into = &cases.back().sections.back().text;
    } else if (into != nullptr) {
      *into += line + "\n";
    }
  }
  return cases;
}

std::string text_of(const std::vector<Case>& cases) {
  std::string text;
  for (const auto& one : cases) {
    text += "=== " + one.title + "\n" + one.text;
    for (const auto& section : one.sections) text += "--- " + section.head + "\n" + section.text;
    text += "--- error\n" + one.error;
  }
  return text;
}

std::string numbered(const std::string& part, int number) {
  std::string text;
  for (const char c : part) {
    if (c == '#' || c == '@') {
      text += std::to_string(c == '#' ? number : number + 1);
    } else {
      text += c;
    }
  }
  return text;
}

std::string unfolded(std::string text) {
  static const std::regex kMark("<(NUL|0x[0-9a-f]{2}|([0-9]+) ([^>]*))>");
  std::string out;
  for (std::smatch found; std::regex_search(text, found, kMark); text = found.suffix()) {
    out += found.prefix();
    const std::string mark = found[1];
    if (mark == "NUL") {
      out += '\0';
    } else if (!found[2].matched) {
      out += static_cast<char>(std::stoi(mark.substr(2), nullptr, 16));
    } else {
      std::string part = found[3];
      std::replace(part.begin(), part.end(), '|', '\n');
      for (int i = 1; i <= std::stoi(found[2]); ++i) out += numbered(part, i);
    }
  }
  return out + text;
}

std::string indented(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
  return out;
}

std::string rendered(const std::vector<Error>& errors) {
  std::string text;
  for (const auto& error : errors) text += (text.empty() ? "" : "\n") + proto::render(error) + "\n";
  return text;
}

std::string error_of(const Case& one) {
  std::string text = unfolded(one.text);
  if (one.is("dotenv")) {
    const auto values = parse_dotenv(text, ".arg");
    return values ? "" : rendered({values.error()});
  }
  testing::FakeHost host;
  Request request;
  request.target = "+t";
  if (one.is("dockerfile")) host.files["Dockerfile"] = std::exchange(text, "FROM DOCKERFILE .\n");
  if (!one.is("raw")) {
    text = "VERSION 0.8\nt:\n" + (one.is("dockerfile") ? "" : indented("FROM debian:bookworm\n")) + indented(text);
  }
  for (const auto& section : one.sections) {
    const std::size_t space = section.head.find(' ');
    const std::string rest = section.head.substr(std::min(space, section.head.size() - 1) + 1);
    if (section.head == "more") text += unfolded(section.text);
    if (section.head.starts_with("file ")) host.files[rest] = unfolded(section.text);
    if (section.head.starts_with("anew ")) request.anew.push_back(rest);
    if (section.head == "repeatable") request.repeatable = true;
    if (section.head.starts_with("limit ")) request.most_commands = std::stoul(rest);
    if (section.head == "locally") request.locally = Request::Locally::allowed;
    if (section.head == "locally host") request.locally = Request::Locally::denied_by_host;
    if (section.head.starts_with("arg "))
      request.overrides[rest.substr(0, rest.find('='))] = rest.substr(rest.find('=') + 1);
    if (section.head.starts_with("repository ")) {
      Repository repository;
      repository.name = rest;
      repository.url = "https://" + rest + ".git";
      repository.commit = std::string(40, 'a');
      host.repository_files[repository.url + "/Earthfile"] = unfolded(section.text);
      host.repositories[rest] = std::move(repository);
    }
    if (section.head.starts_with("answer "))
      host.answers[rest] = graph::Answer{section.text.empty() ? 1 : 0, section.text};
  }
  const auto file = parse(text, "Earthfile");
  if (!file) return rendered(file.error());
  const auto done = interpret(*file, request, host);
  return done ? "" : rendered({done.error()});
}

TEST(Golden, every_error_reads_as_it_is_written_down) {
  const bool update = std::getenv("INGOT_UPDATE_GOLDEN") != nullptr;
  for (const auto& path : golden_files()) {
    auto cases = cases_of(read(path));
    ASSERT_FALSE(cases.empty()) << path;
    for (auto& one : cases) {
      const std::string error = error_of(one);
      EXPECT_NE(error, "") << path << ": " << one.title << ": this is no error";
      EXPECT_NE(error.find("hint: "), std::string::npos) << path << ": " << one.title << ": it names no cure";
      if (!update) {
        EXPECT_EQ(error, one.error) << path << ": " << one.title;
      }
      one.error = error;
    }
    if (update) std::ofstream(path) << text_of(cases);
  }
}

// Reading C++ as far as this takes: string literals, and where a parenthesis is closed.
class Calls {
 public:
  Calls(std::string code, std::string file) : code_(std::move(code)), file_(std::move(file)) {}

  // The longest piece of fixed text of each call of one of the functions that make errors.
  std::vector<std::string> texts() {
    static const std::regex kMaker(
        "(fail_at|fail_here|syntax_error|[^_a-z>.]fail)\\(|Error error\\{|error\\.message = ");
    std::vector<std::string> found;
    for (std::sregex_iterator at(code_.begin(), code_.end(), kMaker), end; at != end; ++at) {
      const std::string text = longest_text(static_cast<std::size_t>(at->position() + at->length()));
      if (text.size() >= 6) found.push_back(text);
    }
    return found;
  }

 private:
  std::string longest_text(std::size_t at) const {
    std::string longest;
    for (int depth = 1; depth > 0 && at < code_.size() && code_[at] != ';'; ++at) {
      const char c = code_[at];
      if (c == '(' || c == '{') ++depth;
      if (c == ')' || c == '}') --depth;
      if (c == '\'') at = code_.find('\'', at + (code_[at + 1] == '\\' ? 3 : 1));
      if (c != '"') continue;
      const bool is_question = std::string_view(code_).substr(0, at).ends_with("has(");
      std::string literal;
      for (++at; code_[at] != '"'; ++at) {
        if (code_[at] == '\\') ++at;
        literal += code_[at];
      }
      for (const auto& piece : pieces(literal)) {
        if (!is_question && piece.size() > longest.size()) longest = piece;
      }
    }
    return longest;
  }

  // Between the places that fmt fills in.
  static std::vector<std::string> pieces(const std::string& literal) {
    static const std::regex kHole("\\{[0-9]*\\}");
    return {std::sregex_token_iterator(literal.begin(), literal.end(), kHole, -1), std::sregex_token_iterator()};
  }

  std::string code_;
  std::string file_;
};

TEST(Golden, every_error_is_written_down) {
  // Nobody sees these: the first only ends an interpretation that is left open, wherever the second could come from
  // there is a container, the third ends what goes on beside a failure, which alone is told, and the last is a
  // defect's.
  const std::vector<std::string> unseen = {
      "nothing is run to find out what comes next", "$(...) has no container to run in here",
      "given up: what goes on beside it has failed", "interpreting the Earthfile failed: "};
  std::string all;
  for (const auto& path : golden_files()) {
    for (const auto& one : cases_of(read(path))) all += one.error;
  }
  std::size_t texts = 0;
  for (const char* folder : {"daemon/earthfile", "daemon/dockerfile"}) {
    for (const auto& entry : fs::directory_iterator(source_of(folder))) {
      if (entry.path().extension() != ".cpp") continue;
      for (const auto& text : Calls(read(entry.path()), entry.path()).texts()) {
        if (std::find(unseen.begin(), unseen.end(), text) != unseen.end()) continue;
        ++texts;
        EXPECT_NE(all.find(text), std::string::npos)
            << entry.path() << ": no case of golden/*.txt has the error \"" << text << "\"";
      }
    }
  }
  EXPECT_GT(texts, 150U) << "they are found at all";
}

}  // namespace
}  // namespace ingot::earthfile
