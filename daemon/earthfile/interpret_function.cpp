#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

// DO.
namespace ingot::earthfile {

namespace {

constexpr std::size_t kDeepestCalls = 100;

Result<const Recipe*> find_function(const Reference& wanted, const Place& from) {
  const File& file = wanted.unit->file;
  auto by_name = [&](const Recipe& recipe) { return recipe.name == wanted.name; };
  auto function = std::find_if(file.functions.begin(), file.functions.end(), by_name);
  if (function != file.functions.end()) return &*function;
  if (std::any_of(file.targets.begin(), file.targets.end(), by_name)) {
    return fail_at(from, ErrorKind::not_found, fmt::format("{} is a target of {}, no function", wanted.name, file.name),
                   "targets are built by BUILD, and built upon by FROM");
  }
  std::vector<std::string> names;
  for (const auto& one : file.functions) names.push_back(one.name);
  std::string hint = base::did_you_mean(wanted.name, names);
  if (hint.empty()) hint = names.empty() ? "it has none at all" : "it has " + base::join(names, ", ");
  return fail_at(from, ErrorKind::not_found,
                 fmt::format("{} has no function {}", file.name, base::printable(wanted.name)), hint);
}

}  // namespace

// DO [--pass-args] +FUNCTION [--NAME=value ...]. The function works on its caller's file system, environment and user,
// and sees none of its variables.
Status Interpreter::call(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"allow-privileged", false, ""},
                                      {"pass-args", false, "", ErrorKind::unsupported, "pass-args"}}));
  const auto words = options.words(command);
  if (words.empty()) {
    return fail_at(command.place, ErrorKind::syntax, "DO needs a function", "such as DO +SETUP --NAME=value");
  }
  INGOT_TRY(auto text, value_of(frame, words.front()));
  INGOT_TRY(auto wanted, resolve(frame, words.front(), text, options.has("allow-privileged")));
  INGOT_TRY(const Recipe* function, find_function(wanted, words.front().place));
  Overrides given;
  if (options.has("pass-args")) given = frame.overrides;
  INGOT_TRY(auto arguments, given_in(frame, {words.begin() + 1, words.end()}));
  for (auto& [name, value] : arguments) given[name] = std::move(value);
  auto& under_way = strands_.current().under_way;
  if (under_way.size() >= kDeepestCalls) {
    return fail_at(command.place, ErrorKind::too_large,
                   fmt::format("more than {} functions and targets call each other here", kDeepestCalls),
                   "does " + wanted.name + " call itself?");
  }

  // The globals of its own Earthfile, as the user and this call have them.
  Overrides globals = request_.overrides;
  for (const auto& [name, value] : given) globals[name] = value;
  under_way.push_back({wanted.unit->full_name(wanted.name),
                       fmt::format("in {}, called at {}", wanted.name, proto::place_of(command.place.position()))});
  auto done = [&]() -> Status {
    INGOT_TRY(auto base, base_recipe(wanted, globals, frame.inherited));
    Frame inner = frame;
    inner.unit = wanted.unit;
    inner.unprivileged_by = wanted.unprivileged_by;
    inner.asked_by = wanted.asked_by;
    inner.overrides = given;
    inner.progress.scope.lets = {};
    inner.progress.scope.args = {};
    inner.progress.scope.globals = base.scope.globals;
    inner.progress.imports = std::move(base.imports);
    INGOT_CHECK(block(inner, function->commands));
    inner.progress.scope.lets = std::move(frame.progress.scope.lets);
    inner.progress.scope.args = std::move(frame.progress.scope.args);
    inner.progress.scope.globals = std::move(frame.progress.scope.globals);
    inner.progress.imports = std::move(frame.progress.imports);
    frame.progress = std::move(inner.progress);
    return {};
  }();
  const std::string context = std::move(under_way.back().context);
  under_way.pop_back();
  if (done) return done;
  return base::fail(base::with_context(done.error(), context));
}

}  // namespace ingot::earthfile
