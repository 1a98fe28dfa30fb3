#include "daemon/earthfile/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/platform.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/language.h"
#include "daemon/earthfile/lint_rules.h"
#include "daemon/earthfile/paths.h"

namespace ingot::earthfile {

void Findings::add(std::string rule, const Place& place, std::string message, std::string hint) {
  Error error{ErrorKind::invalid, std::move(message), std::move(hint), {}, {}};
  if (place.source != nullptr) error.position = place.position();
  list_.push_back({std::move(rule), std::move(error)});
}

void for_each_command(const std::vector<Command>& commands, const std::function<void(const Command&)>& visit) {
  for (const Command& command : commands) {
    visit(command);
    for_each_command(command.body, visit);
    for_each_command(command.alternatives, visit);
  }
}

void for_each_command(const File& file, const std::function<void(const Command&)>& visit) {
  for_each_command(file.base, visit);
  for (const auto* recipes : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *recipes) for_each_command(recipe.commands, visit);
  }
}

// COPY of what is not sent at all. A pattern may match other files too.
void lint_copies(const File& file, const Surroundings& around, Findings& findings) {
  if (!around.ignored) return;
  for_each_command(file, [&](const Command& command) {
    if (command.name != "COPY") return;
    const std::size_t first = first_word_behind_flags(command, {"--chown", "--chmod", "--platform", "--build-arg"});
    for (std::size_t i = first; i + 1 < command.words.size(); ++i) {
      const Word& word = command.words[i];
      if (word.text.find_first_of("$+(\\\"'") != std::string::npos || base::has_glob(word.text)) continue;
      const std::string path = absolute("/", word.text).substr(1);
      if (path.empty() || leaves_project(word.text) || !around.ignored(path)) continue;
      findings.add("ignored-copy", word.place, "COPY takes " + word.text + ", and .earthlyignore keeps it out",
                   "take it out of .earthlyignore, or add the line !" + path + " behind the pattern");
    }
  });
}

// Flags of VERSION that the version has without them.
void lint_version(const File& file, Findings& findings) {
  const int minor = file.version.size() == 3 ? file.version[2] - '0' : 0;
  const std::string_view text = file.source->text();
  for (const auto& name : file.features) {
    const FeatureInfo* info = find_feature(name);
    if (info == nullptr || info->since_minor == 0 || info->since_minor > minor) continue;
    const std::size_t at = text.find("--" + name);
    findings.add("needless-flag", {file.source.get(), std::min(at, text.size())},
                 fmt::format("VERSION {} has {} without the flag", file.version, name), "leave out --" + name);
  }
}

// --platform with what is none, wherever it is written out.
void lint_platforms(const File& file, Findings& findings) {
  constexpr std::string_view kFlag = "--platform";
  for_each_command(file, [&](const Command& command) {
    for (std::size_t i = 0; i < command.words.size() && command.words[i].text.starts_with("--"); ++i) {
      const Word& word = command.words[i];
      const bool stands_apart = word.text == kFlag && i + 1 < command.words.size();
      if (!stands_apart && !word.text.starts_with(std::string(kFlag) + "=")) continue;
      if (command.name == "RUN") continue;  // what follows is the shell's
      const std::size_t begin = kFlag.size() + 1;
      const Word value =
          stands_apart ? command.words[i + 1] : Word{word.text.substr(begin), word.place.plus(begin), word.begin};
      i += stands_apart ? 1 : 0;
      const bool is_known = value.text.empty() || value.text == "native" || value.text == "user";
      if (is_known || value.text.find_first_of("$\"'\\(") != std::string::npos) continue;
      const auto platform = base::parse_platform(value.text);
      if (!platform) findings.add("no-platform", value.place, platform.error().message, platform.error().hint);
    }
  });
}

std::vector<Finding> lint(const File& file, const Surroundings& around) {
  std::vector<Finding> list;
  Findings findings(list);
  lint_version(file, findings);
  lint_platforms(file, findings);
  lint_args(file, findings);
  lint_references(file, around, findings);
  lint_conditions(file, findings);
  lint_copies(file, around, findings);
  std::stable_sort(list.begin(), list.end(), [](const Finding& a, const Finding& b) {
    const auto where = [](const Finding& finding) {
      return finding.error.position ? std::pair(finding.error.position->line, finding.error.position->column)
                                    : std::pair(0, 0);
    };
    return where(a) < where(b);
  });
  return list;
}

}  // namespace ingot::earthfile
