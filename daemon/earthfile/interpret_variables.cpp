#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/language.h"

// ARG, LET, SET, ENV, and what words get their values from.
namespace ingot::earthfile {

namespace {

// "NAME=value with spaces".
struct Assignment {
  Word name;
  std::optional<Word> value;  // absent without "="
  std::optional<Word> rest;   // what stands behind the name instead of "="
};

bool is_name(const std::string& name) {
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  constexpr std::string_view kAll = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && kFirst.find(name.front()) != std::string_view::npos &&
         name.find_first_not_of(kAll) == std::string::npos;
}

// Splits what follows the command's flags. There may be spaces around the "=".
Result<Assignment> split_assignment(const Command& command, std::size_t first_word) {
  const Word all = command.rest_from(first_word);
  auto part = [&](std::size_t from, std::size_t length) {
    return Word{all.text.substr(from, length), command.place_of(all.begin + from), all.begin + from};
  };
  const std::size_t end = std::min(all.text.find_first_of("= \t\n"), all.text.size());
  Assignment assignment{part(0, end), {}, {}};
  if (!is_name(assignment.name.text)) {
    const std::string found = all.text.empty() ? "" : ", not \"" + base::printable(assignment.name.text) + "\"";
    return fail_at(all.text.empty() ? command.place : all.place, ErrorKind::syntax,
                   fmt::format("{} needs a name of letters, digits and \"_\"{}", command.name, found),
                   command.name + " NAME=value");
  }
  const std::size_t next = all.text.find_first_not_of(" \t", end);
  if (next == std::string::npos) return assignment;
  if (all.text[next] != '=') {
    assignment.rest = part(next, std::string::npos);
    return assignment;
  }
  const std::size_t value = std::min(all.text.find_first_not_of(" \t", next + 1), all.text.size());
  assignment.value = part(value, std::string::npos);
  return assignment;
}

// Of the commands that know only the form with "=".
Status check_no_rest(const Command& command, const Assignment& assignment) {
  if (!assignment.rest) return {};
  return fail_at(assignment.rest->place, ErrorKind::syntax,
                 fmt::format("{} {} is followed by \"=\" and its value", command.name, assignment.name.text),
                 fmt::format("{} {}={}", command.name, assignment.name.text, assignment.rest->text));
}

Status check_not_builtin(const File& file, const Command& command, const Word& name) {
  if (!is_builtin(name.text, file)) return {};
  return fail_at(name.place, ErrorKind::invalid,
                 fmt::format("{} cannot give {} a value: it is built in", command.name, name.text),
                 fmt::format("write ARG {} to use its value, or take another name", name.text));
}

}  // namespace

Status Interpreter::store(Frame& frame, VariableTable& table, const Word& name, const std::string& value) const {
  table.set(name.text, value);
  if (frame.progress.scope.bytes() <= kLargestScope) return {};
  return fail_at(name.place, ErrorKind::too_large,
                 "the variables of " + frame.target + " are together larger than " + base::human_bytes(kLargestScope),
                 "put long texts into files, and COPY them");
}

Result<std::string> Interpreter::arg_value(Frame& frame, const Word& name, const std::optional<Word>& fallback) {
  if (is_builtin(name.text, frame.unit->file)) return builtin(frame, name);
  if (auto given = frame.overrides.find(name.text); given != frame.overrides.end()) return given->second;
  if (!frame.has("arg-scope-and-set")) {
    // Before arg-scope-and-set whatever value the name has already wins over a default.
    if (const std::string* existing = frame.progress.scope.find(name.text)) return *existing;
  }
  return fallback ? value_of(frame, *fallback) : std::string();
}

Status Interpreter::arg(Frame& frame, const Command& command) {
  INGOT_TRY(auto options, parse_options(command, {{"required", false, ""}, {"global", false, ""}}, lookup(frame)));
  INGOT_TRY(auto assignment, split_assignment(command, options.first_word));
  INGOT_CHECK(check_no_rest(command, assignment));
  const Word& name = assignment.name;
  declared_.insert(name.text);
  const bool required = options.has("required");
  const bool explicit_global = frame.has("explicit-global");
  if (const auto* global = options.find("global"); global != nullptr && global->text == "true") {
    if (!explicit_global) {
      return fail_at(global->place, ErrorKind::syntax, "ARG --global " + how_to_get("explicit-global"),
                     "leave it out: here every ARG above the first target is global");
    }
    if (!frame.is_base) {
      return fail_at(global->place, ErrorKind::invalid, "ARG --global may stand only above the first target",
                     "leave out --global, or move the line up there");
    }
  }
  if (assignment.value) INGOT_CHECK(check_not_builtin(frame.unit->file, command, name));
  if (required && assignment.value) {
    return fail_at(assignment.value->place, ErrorKind::invalid, "a required ARG has no default",
                   "leave out either --required or the default");
  }
  if (frame.has("arg-scope-and-set") && frame.progress.scope.args.find(name.text) != nullptr) {
    return fail_at(name.place, ErrorKind::invalid, "ARG " + name.text + " is declared in this recipe already",
                   "an ARG keeps its value; for one that changes write LET, then SET");
  }
  INGOT_TRY(auto value, arg_value(frame, name, assignment.value));
  if (required && value.empty()) {
    std::vector<std::string> given;
    for (const auto& [key, unused] : request_.overrides) given.push_back(key);
    const std::string near = base::did_you_mean(name.text, given);
    return fail_at(name.place, ErrorKind::invalid, "ARG " + name.text + " is required and has no value",
                   near.empty() || frame.overrides.contains(name.text)
                       ? fmt::format("give it: --{0}=value behind the target, or {0}=value in .arg", name.text)
                       : "of what was given, " + near);
  }
  INGOT_CHECK(store(frame, frame.progress.scope.args, name, value));
  const bool global = frame.is_base && (!explicit_global || options.has("global"));
  return global ? store(frame, frame.progress.scope.globals, name, value) : Status();
}

Status Interpreter::let(Frame& frame, const Command& command) {
  INGOT_TRY(auto assignment, split_assignment(command, 0));
  INGOT_CHECK(check_no_rest(command, assignment));
  const Word& name = assignment.name;
  INGOT_CHECK(check_not_builtin(frame.unit->file, command, name));
  if (!assignment.value) {
    return fail_at(command.place, ErrorKind::syntax, "LET needs a value", "LET " + name.text + "=value");
  }
  if (frame.progress.scope.lets.find(name.text) != nullptr) {
    return fail_at(name.place, ErrorKind::invalid, "LET " + name.text + " is declared in this recipe already",
                   "SET " + name.text + "=... changes it");
  }
  INGOT_TRY(auto value, value_of(frame, *assignment.value));
  return store(frame, frame.progress.scope.lets, name, value);
}

Status Interpreter::set(Frame& frame, const Command& command) {
  INGOT_TRY(auto assignment, split_assignment(command, 0));
  INGOT_CHECK(check_no_rest(command, assignment));
  const Word& name = assignment.name;
  if (!assignment.value) {
    return fail_at(command.place, ErrorKind::syntax, "SET needs a value", "SET " + name.text + "=value");
  }
  const Scope& scope = frame.progress.scope;
  if (scope.lets.find(name.text) == nullptr) {
    std::vector<std::string> names;
    for (const auto& [let, value] : scope.lets.entries()) names.push_back(let);
    std::string hint = base::did_you_mean(name.text, names);
    if (scope.args.find(name.text) != nullptr)
      hint = fmt::format("write LET {0}=${0} above it: an ARG keeps its value", name.text);
    if (hint.empty()) hint = fmt::format("LET {}=... declares it; a function sees none of its caller", name.text);
    return fail_at(name.place, ErrorKind::invalid, "SET changes a LET, and there is no LET " + name.text, hint);
  }
  INGOT_TRY(auto value, value_of(frame, *assignment.value));
  return store(frame, frame.progress.scope.lets, name, value);
}

Status Interpreter::env(Frame& frame, const Command& command) {
  INGOT_TRY(auto assignment, split_assignment(command, 0));
  INGOT_CHECK(current_step(frame, command));
  // "ENV NAME value" is the older form of "ENV NAME=value".
  const auto& written = assignment.value ? assignment.value : assignment.rest;
  std::string value;
  if (written) {
    INGOT_TRY(value, value_of(frame, *written));
  }
  return store(frame, frame.progress.scope.env, assignment.name, value);
}

// $PATH and $HOME are never empty in a container: where the image leaves them out, its runtime puts these in. Under
// LOCALLY they are the client's.
Lookup Interpreter::lookup(Frame& frame) {
  const auto variable = [&frame](const std::string& name) -> std::optional<std::string> {
    if (const std::string* value = frame.progress.scope.find(name)) return *value;
    if (frame.progress.local) return std::nullopt;
    if (name == "PATH") return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const std::string& user = frame.progress.user;
    if (name == "HOME" && (user.empty() || user == "root" || user == "0")) return "/root";
    return std::nullopt;
  };
  const auto run = [this, &frame](const std::string& command, const Place& place) {
    return shell_out(frame, command, place);
  };
  const auto ask = [this, &frame](const std::string& name, const Place& place) -> Result<std::optional<std::string>> {
    if (!frame.progress.local || (name != "PATH" && name != "HOME")) return std::optional<std::string>();
    auto there = shell_out(frame, "printf %s \"$" + name + "\"", place);
    if (there) return std::optional(*std::move(there));
    return base::fail(base::with_context(there.error(), "to find out what $" + name + " is on the client's side"));
  };
  return {variable, run, ask};
}

Result<std::string> Interpreter::value_of(Frame& frame, const Word& word) {
  return expand(word, lookup(frame));
}

// Of a word that has come to nothing: the variable that did so. One that nobody declared is likely to be misspelt.
std::string Interpreter::hint_for_empty(const Frame& frame, const Word& word) const {
  const std::size_t dollar = word.text.find('$');
  const std::size_t begin = word.text.find_first_not_of("${", dollar);
  if (dollar == std::string::npos || begin == std::string::npos) return "write what is meant";
  const auto in_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const auto end = std::find_if_not(word.text.begin() + static_cast<std::ptrdiff_t>(begin), word.text.end(), in_name);
  const std::string name(word.text.begin() + static_cast<std::ptrdiff_t>(begin), end);
  if (name.empty()) return "give it a value";
  if (frame.progress.scope.find(name) != nullptr) return fmt::format("give {0} a value: --{0}=..., or a default", name);
  std::vector<std::string> known;
  for (const auto& [variable, value] : frame.progress.scope.all()) known.push_back(variable);
  const std::string near = base::did_you_mean(name, known);
  const std::string nothing = fmt::format("nothing here is called {}; ", name);
  return nothing + (near.empty() ? fmt::format("declare it above, by ARG {}=...", name) : near);
}

}  // namespace ingot::earthfile
