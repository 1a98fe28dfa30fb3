#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/interpreter.h"

// What is said of a request besides its result.
namespace ingot::earthfile {

namespace {

void collect_args(const std::vector<Command>& commands, std::set<std::string>& names) {
  for (const Command& command : commands) {
    if (command.name == "ARG") {
      auto name = std::find_if_not(command.words.begin(), command.words.end(),
                                   [](const Word& word) { return word.text.starts_with("--"); });
      if (name != command.words.end()) names.insert(name->text.substr(0, name->text.find('=')));
    }
    collect_args(command.body, names);
    collect_args(command.alternatives, names);
  }
}

// The ARGs that any recipe of the file declares.
std::set<std::string> all_args(const File& file) {
  std::set<std::string> names;
  collect_args(file.base, names);
  for (const auto* recipes : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *recipes) collect_args(recipe.commands, names);
  }
  return names;
}

}  // namespace

void Interpreter::warn(const Place& place, std::string message, std::string hint) {
  Error error{ErrorKind::invalid, std::move(message), std::move(hint), {}, {}};
  if (place.source != nullptr) error.position = place.position();
  warnings_.emplace_back(strands_.next_rank(), proto::render(base::without_credentials(std::move(error))));
}

// `.arg` files hold keys for many targets, so one that another target declares is no mistake; one that nobody declares
// is, and so is one that looks much like what this target asked for.
void Interpreter::warn_of_unknown_overrides() {
  const std::vector<std::string> here(declared_.begin(), declared_.end());
  const File& file = requested_->file;
  const std::set<std::string> anywhere = all_args(file);
  for (const auto& [name, value] : request_.overrides) {
    if (is_builtin(name, file)) {
      warn({}, fmt::format("the value given for {} has no effect", name), "Ingot itself knows its value");
      continue;
    }
    if (anywhere.contains(name) || name == "SOURCE_DATE_EPOCH") continue;  // that one is for the images
    std::string hint = base::did_you_mean(name, here);
    if (hint.empty()) hint = base::did_you_mean(name, {anywhere.begin(), anywhere.end()});
    warn({}, fmt::format("no ARG of {} is called {}", file.name, base::printable(name)), hint);
  }
}

Status Interpreter::check_anew() const {
  for (const std::string& target : anew_) {
    const std::string name = target.substr(target.starts_with("+") ? 1 : 0);
    if (name == "base") continue;
    if (auto found = find_recipe({&units_.first(), name}, {}); !found) {
      return base::fail(base::with_context(found.error(), "in --no-cache=" + base::printable(target)));
    }
  }
  return {};
}

void Interpreter::warn_of_idle_anew() {
  for (const std::string& target : anew_) {
    if (met_.contains(target)) continue;
    warn({}, fmt::format("--no-cache={} has no effect: {} does not need that target", target,
                         base::printable(request_.target)));
  }
}

// In the order of the recipe, each once.
std::vector<std::string> Interpreter::warnings() {
  std::sort(warnings_.begin(), warnings_.end());
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (auto& [rank, text] : warnings_) {
    if (seen.insert(text).second) all.push_back(std::move(text));
  }
  return all;
}

}  // namespace ingot::earthfile
