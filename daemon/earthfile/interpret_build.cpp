#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

// BUILD, and how targets are referred to.
namespace ingot::earthfile {

namespace {

// Every value of every argument that was given, in order: a name that comes several times has several.
using Axes = std::vector<std::pair<std::string, std::vector<std::string>>>;

void add_value(Axes& axes, std::pair<std::string, std::string> given) {
  auto axis = std::find_if(axes.begin(), axes.end(), [&](const auto& one) { return one.first == given.first; });
  if (axis == axes.end()) axis = axes.insert(axes.end(), {given.first, {}});
  axis->second.push_back(std::move(given.second));
}

// The next combination, the last axis fastest; false behind the last one.
bool next_combination(const Axes& axes, std::vector<std::size_t>& at) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (++at[i] < axes[i].second.size()) return true;
    at[i] = 0;
  }
  return false;
}

}  // namespace

Result<std::string> target_name(const Word& word, const std::string& reference) {
  if (!reference.starts_with('+')) {
    return fail_at(word.place, ErrorKind::unsupported,
                   "targets of other directories are not understood by this version of Ingot",
                   "write the target into this Earthfile");
  }
  return reference.substr(1);
}

// "--NAME=value", or "--NAME" for the value that it has here.
Result<std::pair<std::string, std::string>> Interpreter::override_of(const Frame& frame, const Word& word) const {
  if (!word.text.starts_with("--") || word.text.size() == 2) {
    return fail_at(word.place, ErrorKind::syntax, "behind a target stand only arguments of the form --NAME=value",
                   "found \"" + base::printable(word.text) + "\"");
  }
  const std::size_t equals = std::min(word.text.find('='), word.text.size());
  std::string name = word.text.substr(2, equals - 2);
  if (equals < word.text.size()) {
    INGOT_TRY(auto value, value_of(frame, {word.text.substr(equals + 1), word.place.plus(equals + 1)}));
    return std::pair(std::move(name), std::move(value));
  }
  if (const std::string* value = frame.progress.scope.find(name)) return std::pair(std::move(name), *value);
  return fail_at(word.place, ErrorKind::invalid, word.text + " has no value here to pass on", word.text + "=value");
}

Status Interpreter::build(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command,
                                        {{"platform", true, ""},
                                         {"allow-privileged", false, ""},
                                         {"pass-args", false, ""},
                                         {"auto-skip", false, ""},
                                         {"build-arg", true, ""}},
                                        lookup(frame)));
  INGOT_CHECK(check_platform(options));
  const auto words = options.words(command);
  if (words.empty()) return fail_at(command.place, ErrorKind::syntax, "BUILD needs a target", "such as BUILD +image");
  const Word& word = words.front();
  INGOT_TRY(std::string reference, value_of(frame, word));
  if (reference.find('+') == std::string::npos) {
    return fail_at(word.place, ErrorKind::invalid,
                   "BUILD takes a target, and \"" + base::printable(reference) + "\" is none", "BUILD +name");
  }
  INGOT_TRY(auto name, target_name(word, reference));
  Axes axes;
  for (const auto& value : options.values) {
    if (value.name != "build-arg") continue;
    INGOT_TRY(auto given, override_of(frame, {"--" + value.text, value.place}));
    add_value(axes, std::move(given));
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    INGOT_TRY(auto given, override_of(frame, words[i]));
    add_value(axes, std::move(given));
  }
  std::vector<std::size_t> at(axes.size(), 0);
  do {
    INGOT_CHECK(check_command(command));  // each combination counts
    Overrides overrides = frame.overrides;
    for (std::size_t i = 0; i < axes.size(); ++i) overrides[axes[i].first] = axes[i].second[at[i]];
    INGOT_TRY(auto progress, target_recipe(name, word.place, overrides, frame.gives_results));
    if (progress.step && frame.gives_results) wanted_.push_back(*progress.step);
  } while (next_combination(axes, at));
  return {};
}

}  // namespace ingot::earthfile
