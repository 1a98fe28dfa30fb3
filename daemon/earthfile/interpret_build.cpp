#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

// BUILD.
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
  INGOT_TRY(auto target, resolve(frame, word, reference));
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
    INGOT_CHECK(check_command(frame, command));  // each combination counts
    INGOT_TRY(auto overrides, overrides_for(frame, target, options, {}));
    for (std::size_t i = 0; i < axes.size(); ++i) overrides[axes[i].first] = axes[i].second[at[i]];
    INGOT_TRY(auto progress, target_recipe(target, word.place, overrides, frame.gives_results));
    if (progress.step && frame.gives_results) wanted_.push_back(*progress.step);
  } while (next_combination(axes, at));
  return {};
}

}  // namespace ingot::earthfile
