#include "tests/conformance/case_file.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "daemon/base/strings.h"

namespace ingot::conformance {

namespace {

constexpr const char* kTwinCommand = "    RUN echo the failing twin; false";
constexpr const char* kTwinText = "the failing twin";

std::vector<std::string> lines_of(std::string_view text) {
  auto lines = base::split(text, '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// The target that a command line names: the first word with a plus before its name.
std::string target_of(const std::string& command) {
  std::istringstream words(command);
  for (std::string word; words >> word;) {
    if (word.starts_with('+')) return word.substr(1);
  }
  return "t";
}

// Reads a topic line by line; a section's lines are its content.
class Reader {
 public:
  Topic run(std::string_view text) {
    for (const auto& line : base::split(text, '\n')) {
      ++line_;
      if (line.starts_with("=== ")) {
        end_case();
        begin_case(line.substr(4));
      } else if (topic_.cases.empty() && !in_case_) {
        take_head(line);
      } else if (line.starts_with("--- ")) {
        end_section();
        begin_section(line.substr(4));
      } else {
        content_.push_back(line);
      }
    }
    end_case();
    return std::move(topic_);
  }

 private:
  void mistake(std::size_t line, const std::string& what) {
    topic_.mistakes.push_back("line " + std::to_string(line) + ": " + what);
  }

  void take_head(const std::string& line) {
    constexpr std::string_view kDaemon = "daemon: ";
    if (line.starts_with(kDaemon)) {
      topic_.daemon_flags = base::split(line.substr(kDaemon.size()), ' ');
    } else if (!line.empty() && !line.starts_with('#')) {
      mistake(line_, "before the first case stand only comments, and daemon: FLAGS");
    }
  }

  void begin_case(const std::string& name) {
    in_case_ = true;
    now_ = Case{};
    now_.name = name;
    now_.line = line_;
    if (name.empty()) mistake(line_, "this case has no name");
    if (!names_.insert(name).second) mistake(line_, "there is another case \"" + name + "\"");
    begin_section("earthfile");
  }

  void begin_section(const std::string& head) {
    section_line_ = line_;
    const std::size_t space = std::min(head.find(' '), head.size());
    section_ = head.substr(0, space);
    rest_ = std::string(base::trim(head.substr(space)));
    content_.clear();
  }

  void end_section() {
    while (!content_.empty() && content_.back().empty()) content_.pop_back();
    std::string text = base::join(content_, "\n");
    if (!text.empty()) text += '\n';
    if (!take_section(text)) mistake(section_line_, "there is no section \"" + section_ + "\"");
  }

  bool take_section(const std::string& text) {
    if (section_ == "earthfile")
      now_.earthfile = text;
    else if (section_ == "versions")
      now_.versions = base::split(rest_, ' ');
    else if (section_ == "file")
      now_.files.push_back({rest_, text, false});
    else if (section_ == "executable")
      now_.files.push_back({rest_, text, true});
    else if (section_ == "before")
      now_.before = text;
    else if (section_ == "build")
      now_.command = "ingot build --no-cache " + rest_;
    else if (section_ == "run")
      take_run(rest_.empty() ? text : rest_);
    else if (section_ == "twin")
      take_twin(text);
    else if (section_ == "fails")
      take_failure();
    else if (section_ == "succeeds")
      now_.succeeds = true;
    else if (section_ == "shows")
      now_.shown.push_back(content_);
    else if (section_ == "prints")
      take_prints();
    else if (section_ == "saves")
      now_.saved.push_back({rest_, text, false});
    else if (section_ == "image")
      now_.images.emplace_back(rest_, content_);
    else if (section_ == "check")
      now_.check = text;
    else
      return false;
    return true;
  }

  // What it says is run as it stands.
  void take_run(const std::string& command) {
    now_.command = command;
    now_.is_cached = true;
  }

  void take_twin(const std::string& text) {
    now_.twin_commands = text.empty() ? "" : text.substr(0, text.size() - 1);
    now_.twin_text = rest_;
    if (rest_.empty()) mistake(section_line_, "a twin of one's own says with which text it fails: --- twin TEXT");
  }

  void take_failure() {
    now_.fails = true;
    if (content_.empty()) mistake(section_line_, "which text does it fail with?");
    now_.shown.push_back(content_);
  }

  void take_prints() {
    now_.in_any_order = rest_ == "in any order";
    if (!rest_.empty() && !now_.in_any_order) mistake(section_line_, "did you mean: --- prints in any order");
    now_.printed = content_;
  }

  void end_case() {
    if (!in_case_) return;
    end_section();
    if (now_.command.empty()) now_.command = "ingot build --no-cache +t";
    now_.target = target_of(now_.command);
    if (now_.twin_commands.empty()) now_.twin_commands = kTwinCommand;
    if (now_.twin_text.empty()) now_.twin_text = kTwinText;
    if (!now_.expects_something()) mistake(now_.line, "the case \"" + now_.name + "\" expects nothing");
    const bool promises = now_.printed || !now_.saved.empty() || !now_.images.empty() || now_.succeeds;
    if (now_.fails && promises) mistake(now_.line, "the case \"" + now_.name + "\" fails, and makes something");
    if (now_.earthfile.empty() && now_.before.empty()) mistake(now_.line, "the case has no Earthfile");
    topic_.cases.push_back(std::move(now_));
    in_case_ = false;
  }

  Topic topic_;
  Case now_;
  bool in_case_ = false;
  std::size_t line_ = 0;
  std::string section_;
  std::string rest_;
  std::size_t section_line_ = 0;
  std::vector<std::string> content_;
  std::set<std::string> names_;
};

// "name:" at the start of its line, and nothing or a comment behind it; else "".
std::string header_of(const std::string& line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#') return "";
  const std::string first = line.substr(0, line.find_first_of(" \t\r"));
  const auto rest = base::trim(std::string_view(line).substr(first.size()));
  return first.ends_with(':') && (rest.empty() || rest.front() == '#') ? first : "";
}

}  // namespace

Topic read_topic(std::string_view text) {
  return Reader().run(text);
}

std::string with_commands(const std::string& earthfile, const std::string& target, const std::string& commands) {
  auto lines = lines_of(earthfile);
  auto is_header = [](const std::string& line) { return !header_of(line).empty(); };
  auto is_own = [&](const std::string& line) { return header_of(line) == target + ":"; };
  auto begin = target == "base" ? lines.begin() : std::find_if(lines.begin(), lines.end(), is_own);
  if (begin == lines.end()) return earthfile;
  auto end = std::find_if(begin + (target == "base" ? 0 : 1), lines.end(), is_header);
  // Behind the last line that says something: what follows it are comments of the next target.
  auto says_nothing = [](const std::string& line) { return base::trim(line).empty() || line.starts_with('#'); };
  while (end != begin + 1 && says_nothing(*(end - 1))) --end;
  lines.insert(end, commands);
  return base::join(lines, "\n") + "\n";
}

}  // namespace ingot::conformance
