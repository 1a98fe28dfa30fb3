#include <fmt/format.h>

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

Status check_combinations(const Axes& axes, std::size_t platforms, const Command& command) {
  constexpr std::size_t kMost = 10'000;
  constexpr std::size_t kCountedTo = 1'000'000'000;
  std::size_t all = platforms;
  for (const auto& [name, values] : axes) all = std::min(all * values.size(), kCountedTo);
  if (all <= kMost) return {};
  return fail_at(command.place, ErrorKind::too_large,
                 fmt::format("these arguments make {} combinations, and {} are the most that one BUILD takes",
                             all == kCountedTo ? "more than a billion" : std::to_string(all), kMost),
                 "build the ones that are needed by name, or in several jobs");
}

}  // namespace

// What is built is nothing that the next command waits for.
Status Interpreter::build_beside(const Frame& frame, const Reference& target, const Place& from,
                                 const Overrides& overrides, const Inherited& inherited) {
  const auto build = [this, target, from, overrides, inherited, gives_results = frame.gives_results]() -> Status {
    INGOT_TRY(auto progress, target_recipe(target, from, overrides, gives_results, inherited));
    // It is built in any case; whether it hands out what it saves is another question.
    if (progress.step) wanted_.push_back(*progress.step);
    return {};
  };
  const TargetKey key = key_of(target, overrides, frame.gives_results, inherited);
  if (targets_.contains(key) || frame.waits || !strands_.has_room()) {
    return build();
  }
  const auto build_alone = [this, build]() -> Status {
    auto built = build();
    return strands_.current().left_open ? Status() : built;  // what others know is worth to be known
  };
  return strands_.begin(build_alone,
                        [this, way = strands_.current().under_way](Error error) { fail_late(std::move(error), way); });
}

Status Interpreter::build(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"platform", true, ""},
                                      {"allow-privileged", false, ""},
                                      {"pass-args", false, "", ErrorKind::unsupported, "pass-args"},
                                      {"auto-skip", false, "", ErrorKind::unsupported, "build-auto-skip"},
                                      {"build-arg", true, ""}}));
  const auto words = options.words(command);
  if (words.empty()) return fail_at(command.place, ErrorKind::syntax, "BUILD needs a target", "such as BUILD +image");
  const Word& word = words.front();
  INGOT_TRY(std::string reference, value_of(frame, word));
  if (reference.find('+') == std::string::npos) {
    return fail_at(word.place, ErrorKind::invalid,
                   "BUILD takes a target, and \"" + base::printable(reference) + "\" is none", "BUILD +name");
  }
  std::vector<Inherited> platforms;
  for (const auto& value : options.values) {
    if (value.name != "platform") continue;
    INGOT_TRY(auto one, inherited_by(frame, &value));
    platforms.push_back(std::move(one));
  }
  if (platforms.empty()) platforms.push_back(frame.inherited);
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& value : options.values) {
    if (value.name != "build-arg") continue;
    INGOT_TRY(auto one, override_of(frame, {"--" + value.text, value.place}));
    given.push_back(std::move(one));
  }
  INGOT_TRY(auto behind, given_in(frame, {words.begin() + 1, words.end()}));
  given.insert(given.end(), behind.begin(), behind.end());
  INGOT_TRY(const auto references, matching(frame, word, reference, "wildcard-builds"));
  for (const auto& one : references) INGOT_CHECK(build_target(frame, command, word, one, options, given, platforms));
  return {};
}

// Every combination of the arguments, for every platform.
Status Interpreter::build_target(Frame& frame, const Command& command, const Word& word, const std::string& reference,
                                 const Options& options, const std::vector<std::pair<std::string, std::string>>& given,
                                 const std::vector<Inherited>& platforms) {
  INGOT_TRY(auto target, resolve(frame, word, reference, options.has("allow-privileged")));
  Axes axes;
  for (const auto& one : given) add_value(axes, one);
  INGOT_CHECK(check_combinations(axes, platforms.size(), command));
  std::vector<std::size_t> at(axes.size(), 0);
  do {
    INGOT_TRY(auto overrides, overrides_for(frame, target, options, {}));
    for (std::size_t i = 0; i < axes.size(); ++i) overrides[axes[i].first] = axes[i].second[at[i]];
    for (const auto& platform : platforms) {
      INGOT_CHECK(check_command(frame, command));  // each combination counts
      INGOT_CHECK(build_beside(frame, target, word.place, overrides, platform));
    }
  } while (next_combination(axes, at));
  return {};
}

}  // namespace ingot::earthfile
