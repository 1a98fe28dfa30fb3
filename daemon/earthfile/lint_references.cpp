#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/earthfile/describe.h"
#include "daemon/earthfile/lint_rules.h"
#include "daemon/earthfile/paths.h"

// References to what is not there, and functions that nobody calls.
namespace ingot::earthfile {

namespace {

bool is_path(const std::string& text) {
  return text == "." || text == ".." || text.starts_with("./") || text.starts_with("../");
}

std::vector<std::string> names_of(const std::vector<Recipe>& recipes) {
  std::vector<std::string> names;
  names.reserve(recipes.size());
  for (const Recipe& recipe : recipes) names.push_back(recipe.name);
  return names;
}

class References {
 public:
  References(const File& file, const Surroundings& around, Findings& findings)
      : file_(file), around_(around), findings_(findings) {}

  void run() {
    for_each_command(file_, [&](const Command& command) { import(command); });
    for_each_command(file_, [&](const Command& command) { look_at(command); });
    if (file_.targets.empty()) return;  // a library: others call its functions
    for (const Recipe& function : file_.functions) {
      if (called_.contains(function.name)) continue;
      findings_.add("uncalled-function", function.place, "nothing in this file calls the function " + function.name,
                    "remove it, unless another Earthfile does");
    }
  }

 private:
  void import(const Command& command) {
    if (command.name != "IMPORT") return;
    const std::size_t first = first_word_behind_flags(command);
    if (first >= command.words.size()) return;
    const std::string& path = command.words[first].text;
    const bool named = first + 2 < command.words.size() && command.words[first + 1].text == "AS";
    // Of "github.com/org/repo:v1" the name is without the tag.
    const std::string alias = named ? command.words[first + 2].text : base_name(path.substr(0, path.find(':')));
    imports_[alias] = path;
  }

  void look_at(const Command& command) {
    static const std::vector<std::string> kValued = {"--platform", "--build-arg", "--chown", "--chmod", "--load"};
    const std::size_t first = first_word_behind_flags(command, kValued);
    if (command.name == "FROM" || command.name == "BUILD" || command.name == "DO") {
      if (first < command.words.size()) refer(command.words[first], command.name == "DO");
    } else if (command.name == "COPY") {
      for (std::size_t i = first; i + 1 < command.words.size(); ++i) {
        Word word = command.words[i];
        if (word.text.starts_with('(')) word = {word.text.substr(1), word.place.plus(1), word.begin + 1};
        if (word.text.starts_with("--")) continue;  // an argument within parentheses
        const std::size_t plus = word.text.find('+');
        const std::size_t slash = plus == std::string::npos ? plus : word.text.find('/', plus);
        if (slash == std::string::npos) continue;
        word.text.resize(slash);
        refer(word, false);
      }
    }
  }

  // What a variable is part of is known only when it has a value.
  void refer(const Word& word, bool to_function) {
    const std::string& text = word.text;
    const std::size_t plus = text.find('+');
    if (plus == std::string::npos || text.find_first_of("$\"'\\`") != std::string::npos) return;
    const std::string name = text.substr(plus + 1);
    const std::string where = text.substr(0, plus);
    if (where.empty()) {
      if (to_function) called_.insert(name);
      return check(file_, word, name, to_function);
    }
    std::string directory = where;
    if (auto import = imports_.find(where); import != imports_.end()) directory = import->second;
    if (is_path(directory) && directory.find('$') == std::string::npos) {
      if (!around_.other) return;
      if (const File* other = around_.other(directory)) return check(*other, word, name, to_function);
      return findings_.add("missing-reference", word.place,
                           fmt::format("{} has no Earthfile that can be read", base::printable(directory)),
                           "the directory counts from this file's own");
    }
    if (directory.find('/') != std::string::npos || directory.find('$') != std::string::npos) return;
    std::vector<std::string> names;
    for (const auto& [alias, path] : imports_) names.push_back(alias);
    std::string hint = base::did_you_mean(where, names);
    if (hint.empty()) hint = "IMPORT ./directory AS " + base::printable(where);
    findings_.add("missing-reference", word.place, fmt::format("nothing is imported as {}", base::printable(where)),
                  hint);
  }

  void check(const File& file, const Word& word, const std::string& name, bool to_function) {
    if (!to_function && name == "base") return;
    const auto& recipes = to_function ? file.functions : file.targets;
    const auto names = names_of(recipes);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    const std::string what = to_function ? "function" : "target";
    std::string hint = base::did_you_mean(name, names);
    const auto others = names_of(to_function ? file.targets : file.functions);
    if (std::find(others.begin(), others.end(), name) != others.end()) {
      hint = to_function ? name + " is a target: BUILD or FROM takes it" : name + " is a function: DO calls it";
    }
    findings_.add("missing-reference", word.place,
                  fmt::format("{} has no {} {}", file.name, what, base::printable(name)), hint);
  }

  const File& file_;
  const Surroundings& around_;
  Findings& findings_;
  std::map<std::string, std::string> imports_;
  std::set<std::string> called_;
};

}  // namespace

void lint_references(const File& file, const Surroundings& around, Findings& findings) {
  References(file, around, findings).run();
}

}  // namespace ingot::earthfile
