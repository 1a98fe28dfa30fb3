#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

// ARG, LET, SET, ENV.
namespace ingot::earthfile {

namespace {

// "NAME=value with spaces" from the command's text behind its flags; the value is absent without "=".
struct Assignment {
  std::string name;
  std::optional<std::string> value;
};

Assignment split_assignment(const Command& command, const Options& options) {
  if (options.rest.empty()) return {};
  // The text from the first word on that is no flag: inner spaces belong to the value.
  std::string text = command.arguments;
  for (std::size_t i = 0; i + options.rest.size() < command.words.size(); ++i) {
    text = text.substr(command.words[i].text.size());
    text = std::string(base::trim(text));
  }
  const std::size_t equals = text.find('=');
  const std::size_t end = std::min(equals, text.size());
  Assignment assignment{std::string(base::trim(text.substr(0, end))), std::nullopt};
  if (equals != std::string::npos) assignment.value = std::string(base::trim(text.substr(equals + 1)));
  return assignment;
}

bool is_name(const std::string& name) {
  const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  const std::string_view more = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && letters.find(name.front()) != std::string_view::npos &&
         name.find_first_not_of(more) == std::string::npos;
}

Status check_name(const Command& command, const std::string& name) {
  if (is_name(name)) return {};
  return fail_at(
      command.position, ErrorKind::syntax,
      fmt::format("{} needs a name: letters, digits and \"_\", found \"{}\"", command.name, base::printable(name)),
      command.name + " NAME=value");
}

#if defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#else
constexpr const char* kArchitecture = "amd64";
#endif

}  // namespace

// What a build knows of itself without asking git or the host's environment.
std::optional<std::string> Interpreter::builtin(const Recipe& recipe, const std::string& name) const {
  const std::string target = recipe.target;
  for (const char* who : {"TARGET", "USER", "NATIVE"}) {
    if (name == std::string(who) + "PLATFORM") return std::string("linux/") + kArchitecture;
    if (name == std::string(who) + "OS") return "linux";
    if (name == std::string(who) + "ARCH") return kArchitecture;
    if (name == std::string(who) + "VARIANT") return "";
  }
  if (name == "EARTHLY_TARGET") return target;
  if (name == "EARTHLY_TARGET_NAME") return target.substr(1);
  if (name == "EARTHLY_TARGET_PROJECT" || name == "EARTHLY_TARGET_PROJECT_NO_TAG") return "";
  if (name == "EARTHLY_TARGET_TAG" || name == "EARTHLY_TARGET_TAG_DOCKER") return "";
  if (name == "EARTHLY_VERSION") return "v0.8.16";
  if (name == "EARTHLY_PUSH" || name == "EARTHLY_CI" || name == "EARTHLY_LOCALLY") return "false";
  if (name == "EARTHLY_SOURCE_DATE_EPOCH") return "0";
  return std::nullopt;
}

Result<std::string> Interpreter::arg_value(const Recipe& recipe, const Command& command, const std::string& name,
                                           const std::optional<std::string>& fallback, bool required) {
  if (auto known = builtin(recipe, name)) return *known;
  if (auto given = recipe.overrides->find(name); given != recipe.overrides->end()) return given->second;
  if (!own_scopes()) {
    // Before arg-scope-and-set whatever value the name has already wins over a default.
    if (auto existing = recipe.progress.scope.find(name)) return *existing;
  }
  if (fallback) {
    Word word{*fallback, command.position};
    return value_of(recipe, word);
  }
  if (required) {
    return fail_at(command.position, ErrorKind::invalid, "ARG " + name + " is required and has no value",
                   "give it: --" + name + "=value behind the target, or " + name + "=value in .arg");
  }
  return std::string();
}

Status Interpreter::arg(Recipe& recipe, const Command& command) {
  INGOT_TRY(auto options, parse_options(command, {{"required", false, ""}, {"global", false, ""}}, lookup(recipe)));
  const Assignment assignment = split_assignment(command, options);
  INGOT_CHECK(check_name(command, assignment.name));
  const std::string& name = assignment.name;
  declared_.insert(name);
  if (options.has("global") && !file_.at_least(8) && !file_.has_feature("explicit-global")) {
    return fail_at(command.position, ErrorKind::syntax, "ARG --global is known from VERSION 0.8 on",
                   "leave it out: every ARG above the first target is global in " + file_.version);
  }
  if (options.has("global") && !recipe.is_base) {
    return fail_at(command.position, ErrorKind::invalid, "ARG --global may stand only above the first target");
  }
  if (options.has("required") && assignment.value) {
    return fail_at(command.position, ErrorKind::invalid, "a required ARG has no default",
                   "leave out either --required or \"=" + *assignment.value + "\"");
  }
  if (own_scopes() && get_variable(recipe.progress.scope.args, name)) {
    return fail_at(command.position, ErrorKind::invalid, "ARG " + name + " is declared in this recipe already",
                   "use SET " + name + "=... to change a LET; an ARG keeps its value");
  }
  INGOT_TRY(auto value, arg_value(recipe, command, name, assignment.value, options.has("required")));
  set_variable(recipe.progress.scope.args, name, value);
  const bool global = recipe.is_base && (options.has("global") || !file_.at_least(8));
  if (global) set_variable(recipe.progress.scope.globals, name, value);
  return {};
}

Status Interpreter::let(Recipe& recipe, const Command& command) {
  const Assignment assignment = split_assignment(command, {{}, command.words});
  INGOT_CHECK(check_name(command, assignment.name));
  if (!assignment.value) {
    return fail_at(command.position, ErrorKind::syntax, "LET needs a value", "LET " + assignment.name + "=value");
  }
  INGOT_TRY(auto value, value_of(recipe, {*assignment.value, command.position}));
  set_variable(recipe.progress.scope.lets, assignment.name, value);
  return {};
}

Status Interpreter::set(Recipe& recipe, const Command& command) {
  const Assignment assignment = split_assignment(command, {{}, command.words});
  INGOT_CHECK(check_name(command, assignment.name));
  if (!get_variable(recipe.progress.scope.lets, assignment.name)) {
    std::vector<std::string> names;
    for (const auto& [name, value] : recipe.progress.scope.lets) names.push_back(name);
    return fail_at(command.position, ErrorKind::invalid, "SET changes a LET, and there is no LET " + assignment.name,
                   base::did_you_mean(assignment.name, names));
  }
  INGOT_TRY(auto value, value_of(recipe, {assignment.value.value_or(""), command.position}));
  set_variable(recipe.progress.scope.lets, assignment.name, value);
  return {};
}

Status Interpreter::env(Recipe& recipe, const Command& command) {
  Assignment assignment = split_assignment(command, {{}, command.words});
  // "ENV KEY value" is the older form of "ENV KEY=value".
  const std::size_t space = command.arguments.find_first_of(" \t");
  if (!command.words.empty() && command.words.front().text.find('=') == std::string::npos) {
    assignment.name = command.words.front().text;
    assignment.value = space == std::string::npos ? "" : std::string(base::trim(command.arguments.substr(space)));
  }
  INGOT_CHECK(check_name(command, assignment.name));
  INGOT_TRY(auto value, value_of(recipe, {assignment.value.value_or(""), command.position}));
  set_variable(recipe.progress.scope.env, assignment.name, value);
  return {};
}

}  // namespace ingot::earthfile
