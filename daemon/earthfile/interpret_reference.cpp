#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/builtins.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/language.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/repository_owner.h"

// How recipes are referred to, what they are given, and IMPORT.
namespace ingot::earthfile {

namespace {

bool is_path(const std::string& text) {
  return text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") || text.starts_with('/');
}

// "github.com/org/repo", "github.com/org/repo:v1".
bool names_repository(const std::string& text) {
  return text.find_first_of("/:") != std::string::npos;
}

// What is said of a reference that lacks --allow-privileged.
std::string refusal_of(const std::string& reference, const Place& place) {
  return base::printable(reference) + " of " + proto::place_of(place.position());
}

}  // namespace

Status Interpreter::check_may_have_privileges(const Frame& frame, const Place& place, const std::string& what) {
  if (frame.unprivileged_by.empty()) return {};
  return fail_at(place, ErrorKind::denied,
                 fmt::format("{} is not allowed here: {} refers to another repository without --allow-privileged", what,
                             frame.unprivileged_by),
                 "where you trust it, write --allow-privileged there, behind the command's name or behind IMPORT");
}

// Of what stands before the "+": "./directory", seen from the Earthfile that says it.
Result<std::string> Interpreter::directory_of(const Frame& frame, const Word& word, const std::string& text) const {
  if (text.starts_with('/')) {
    return fail_at(word.place, ErrorKind::invalid, "\"" + base::printable(text) + "\" is a directory of the host",
                   "Earthfiles are referred to from this one on: ./directory+target");
  }
  const std::string path = frame.unit->directory.empty() ? text : frame.unit->directory + "/" + text;
  if (leaves_project(path)) {
    return fail_at(word.place, ErrorKind::invalid,
                   "\"" + base::printable(text) + "\" is outside of the " +
                       (frame.unit->checkout != nullptr ? "repository" : "project that was sent"),
                   frame.unit->checkout != nullptr
                       ? "another repository is named by its host"
                       : "run ingot in a directory above both, with the target as ./directory+target");
  }
  return absolute("/", path).substr(1);
}

Result<const Unit*> Interpreter::unit_in(const Checkout* checkout, const std::string& directory, const Word& word) {
  return units_.in(checkout, directory, word.place, [&](const std::string& path) {
    return checkout == nullptr ? host_.read_file(path) : file_of(*checkout, path, word.place);
  });
}

// Another repository's recipes may do to the host what the user's own may only where each reference on the way says so.
Result<Reference> Interpreter::resolve(const Frame& frame, const Word& word, const std::string& text,
                                       bool allow_privileged) {
  const std::size_t plus = text.find('+');
  const std::string where = text.substr(0, plus);
  const std::string name = plus == std::string::npos ? "" : text.substr(plus + 1);
  const std::string& inherited = frame.unprivileged_by;
  const auto of_another = [&](const Unit* unit, bool allowed) {
    return Reference{unit, name, allowed || !inherited.empty() ? inherited : refusal_of(text, word.place),
                     asked_by_too(frame.asked_by, owner_of(unit->checkout->repository.name))};
  };
  if (where.empty()) return Reference{frame.unit, name, inherited, frame.asked_by};
  if (auto import = frame.progress.imports.find(where); import != frame.progress.imports.end()) {
    const Import from = import->second;
    if (!from.repository.empty()) {
      INGOT_TRY(const Unit* unit, unit_of_repository(frame, word, from.repository));
      return of_another(unit, allow_privileged || from.allow_privileged);
    }
    INGOT_TRY(const Unit* unit, unit_in(from.checkout, from.directory, word));
    return Reference{unit, name, inherited, frame.asked_by};
  }
  if (is_path(where)) {
    INGOT_TRY(auto directory, directory_of(frame, word, where));
    INGOT_TRY(const Unit* unit, unit_in(frame.unit->checkout, directory, word));
    return Reference{unit, name, inherited, frame.asked_by};
  }
  if (names_repository(where)) {
    INGOT_TRY(const Unit* unit, unit_of_repository(frame, word, where));
    return of_another(unit, allow_privileged);
  }
  std::vector<std::string> names;
  for (const auto& [alias, directory] : frame.progress.imports) names.push_back(alias);
  const std::string hint = base::did_you_mean(where, names);
  return fail_at(word.place, ErrorKind::not_found, "nothing is imported as \"" + base::printable(where) + "\"",
                 hint.empty() ? "IMPORT ./directory AS " + base::printable(where) + ", above the first target" : hint);
}

// "--NAME=value", or "--NAME" for the value that it has here.
Result<std::pair<std::string, std::string>> Interpreter::override_of(Frame& frame, const Word& word) {
  if (!word.text.starts_with("--") || word.text.size() == 2) {
    return fail_at(
        word.place, ErrorKind::syntax,
        "behind a target stand only arguments of the form --NAME=value, not \"" + base::printable(word.text) + "\"",
        word.text.find('=') != std::string::npos && !word.text.starts_with('-')
            ? "write --" + base::printable(word.text)
            : "such as --VERSION=1.2");
  }
  const std::size_t equals = std::min(word.text.find('='), word.text.size());
  std::string name = word.text.substr(2, equals - 2);
  if (is_builtin(name, frame.unit->file)) {
    return fail_at(word.place, ErrorKind::invalid, fmt::format("{} cannot be given: it is built in", name),
                   "take another name");
  }
  if (equals < word.text.size()) {
    INGOT_TRY(auto value, value_of(frame, {word.text.substr(equals + 1), word.place.plus(equals + 1)}));
    return std::pair(std::move(name), std::move(value));
  }
  if (const std::string* value = frame.progress.scope.find(name)) return std::pair(std::move(name), *value);
  return fail_at(word.place, ErrorKind::invalid, word.text + " has no value here to pass on", word.text + "=value");
}

Result<std::vector<std::pair<std::string, std::string>>> Interpreter::given_in(Frame& frame,
                                                                               const std::vector<Word>& words) {
  std::vector<std::pair<std::string, std::string>> all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool stands_apart = words[i].text.starts_with("--") && words[i].text.find('=') == std::string::npos &&
                              i + 1 < words.size() && !words[i + 1].text.starts_with("--");
    if (stands_apart) {
      INGOT_TRY(auto value, value_of(frame, words[i + 1]));
      INGOT_TRY(auto named, override_of(frame, {words[i].text + "=", words[i].place}));
      all.emplace_back(std::move(named.first), std::move(value));
      ++i;
    } else {
      INGOT_TRY(auto one, override_of(frame, words[i]));
      all.push_back(std::move(one));
    }
  }
  return all;
}

Result<std::vector<std::string>> Interpreter::matching(const Frame& frame, const Word& word,
                                                       const std::string& reference, const std::string& feature) {
  const std::size_t plus = reference.find('+');
  const std::string where = reference.substr(0, plus);
  if (!base::has_glob(where) || !is_path(where)) return std::vector<std::string>{reference};
  if (!frame.has(feature)) {
    return fail_at(word.place, ErrorKind::syntax, "a pattern for the directory of an Earthfile " + how_to_get(feature),
                   "change the first line of the Earthfile");
  }
  if (frame.unit->checkout != nullptr) {
    return fail_at(word.place, ErrorKind::unsupported, "a pattern for directories takes those of the project only",
                   "name the directories of another repository one by one");
  }
  INGOT_TRY(const auto pattern, directory_of(frame, word, where));
  const std::string name = reference.substr(plus + 1, reference.find('/', plus) - plus - 1);
  std::vector<std::string> found;
  bool any = false;
  for (const std::string& directory : host_.earthfiles()) {
    if (!base::glob_match(pattern, directory)) continue;
    any = true;
    INGOT_TRY(const Unit* unit, unit_in(nullptr, directory, word));
    const auto names = target_names(unit->file);
    // As this Earthfile would write it.
    const std::string up = frame.unit->directory.empty()
                               ? "./" + directory
                               : std::filesystem::path(directory).lexically_relative(frame.unit->directory).string();
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      found.push_back((is_path(up) ? up : "./" + up) + reference.substr(plus));
    }
  }
  if (!found.empty()) return found;
  return fail_at(
      word.place, ErrorKind::not_found,
      any ? fmt::format("no Earthfile of {} has a target \"+{}\"", base::printable(where), base::printable(name))
          : "there is no Earthfile in " + base::printable(where),
      "correct the pattern, or add the target to an Earthfile that it matches");
}

Result<Overrides> Interpreter::overrides_for(Frame& frame, const Reference& target, const Options& options,
                                             const std::vector<Word>& words) {
  Overrides overrides;
  if (target.unit == frame.unit || options.has("pass-args")) overrides = frame.overrides;
  for (const auto& value : options.values) {
    if (value.name != "build-arg") continue;
    INGOT_TRY(auto given, override_of(frame, {"--" + value.text, value.place}));
    overrides[given.first] = given.second;
  }
  INGOT_TRY(auto all, given_in(frame, words));
  for (auto& [name, value] : all) overrides[name] = std::move(value);
  return overrides;
}

// IMPORT ./directory [AS alias], or IMPORT github.com/org/repo[:ref] [AS alias].
Status Interpreter::import(Frame& frame, const Command& command) {
  constexpr const char* kForm =
      "IMPORT ./directory [AS name], or IMPORT github.com/organisation/repository:tag [AS name]";
  INGOT_TRY(auto options, options_of(frame, command,
                                     {{"allow-privileged", false, ""},
                                      {"pass-args", false, "", ErrorKind::unsupported, "pass-args"}}));
  const auto words = options.words(command);
  const bool has_alias = words.size() == 3 && words[1].text == "AS";
  if (words.size() != 1 && !has_alias) {
    return fail_at(command.place, ErrorKind::syntax,
                   "IMPORT takes an Earthfile's directory or a repository, and a name for it", kForm);
  }
  INGOT_TRY(auto path, value_of(frame, words.front()));
  Import import;
  std::string alias;
  if (is_path(path)) {
    INGOT_TRY(import.directory, directory_of(frame, words.front(), path));
    import.checkout = frame.unit->checkout;
    alias = base_name(import.directory);
  } else if (names_repository(path)) {
    import.repository = path;
    import.allow_privileged = options.has("allow-privileged");
    alias = base_name(path.substr(0, path.find(':')));
  } else {
    return fail_at(words.front().place, ErrorKind::invalid,
                   "\"" + base::printable(path) + "\" is neither a directory nor a repository",
                   "IMPORT ./" + base::printable(path) + ", or IMPORT github.com/organisation/repository:tag");
  }
  if (has_alias) {
    INGOT_TRY(alias, value_of(frame, words[2]));
  }
  if (alias.empty() || alias.find_first_of("/+.") != std::string::npos) {
    return fail_at(words.back().place, ErrorKind::invalid,
                   "\"" + base::printable(alias) + "\" is no name for an import", kForm);
  }
  // One of the recipe itself hides one that stands above all targets.
  frame.progress.imports[alias] = std::move(import);
  return {};
}

}  // namespace ingot::earthfile
