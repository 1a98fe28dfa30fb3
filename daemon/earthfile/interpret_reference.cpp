#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

// How recipes are referred to, what they are given, and IMPORT.
namespace ingot::earthfile {

namespace {

bool is_path(const std::string& text) {
  return text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") || text.starts_with('/');
}

}  // namespace

// Of what stands before the "+": "./directory", seen from the Earthfile that says it.
Result<std::string> Interpreter::directory_of(const Frame& frame, const Word& word, const std::string& text) const {
  if (text.starts_with('/')) {
    return fail_at(word.place, ErrorKind::invalid, "\"" + base::printable(text) + "\" is a directory of the host",
                   "Earthfiles are referred to from this one on: ./directory+target");
  }
  const std::string path = frame.unit->directory.empty() ? text : frame.unit->directory + "/" + text;
  if (leaves_project(path)) {
    return fail_at(word.place, ErrorKind::invalid,
                   "\"" + base::printable(text) + "\" is outside of the project that was sent",
                   "run ingot in a directory above both, with the target as ./directory+target");
  }
  return absolute("/", path).substr(1);
}

Result<Reference> Interpreter::resolve(const Frame& frame, const Word& word, const std::string& text) {
  const std::size_t plus = text.find('+');
  const std::string where = text.substr(0, plus);
  const std::string name = plus == std::string::npos ? "" : text.substr(plus + 1);
  if (where.empty()) return Reference{frame.unit, name};
  if (auto import = frame.progress.imports.find(where); import != frame.progress.imports.end()) {
    INGOT_TRY(const Unit* unit, units_.in(import->second, word.place));
    return Reference{unit, name};
  }
  if (is_path(where)) {
    INGOT_TRY(auto directory, directory_of(frame, word, where));
    INGOT_TRY(const Unit* unit, units_.in(directory, word.place));
    return Reference{unit, name};
  }
  if (where.find('/') != std::string::npos) {
    return fail_at(word.place, ErrorKind::unsupported,
                   "targets of other repositories are not understood by this version of Ingot",
                   "put the repository into a directory of the project: ./directory+" + name);
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

Result<Overrides> Interpreter::overrides_for(Frame& frame, const Reference& target, const Options& options,
                                             const std::vector<Word>& words) {
  Overrides overrides;
  if (target.unit == frame.unit || options.has("pass-args")) overrides = frame.overrides;
  for (const auto& value : options.values) {
    if (value.name != "build-arg") continue;
    INGOT_TRY(auto given, override_of(frame, {"--" + value.text, value.place}));
    overrides[given.first] = given.second;
  }
  for (const auto& word : words) {
    INGOT_TRY(auto given, override_of(frame, word));
    overrides[given.first] = given.second;
  }
  return overrides;
}

// IMPORT ./directory [AS alias].
Status Interpreter::import(Frame& frame, const Command& command) {
  constexpr const char* kForm = "IMPORT ./directory [AS name]";
  INGOT_TRY(auto options, parse_options(command, {{"allow-privileged", false, ""}}, lookup(frame)));
  const auto words = options.words(command);
  const bool has_alias = words.size() == 3 && words[1].text == "AS";
  if (words.size() != 1 && !has_alias) {
    return fail_at(command.place, ErrorKind::syntax, "IMPORT takes an Earthfile's directory and a name for it", kForm);
  }
  INGOT_TRY(auto path, value_of(frame, words.front()));
  if (!is_path(path)) {
    return fail_at(words.front().place, ErrorKind::unsupported,
                   "other repositories are not understood by this version of Ingot",
                   "put the repository into a directory of the project, and IMPORT ./directory");
  }
  INGOT_TRY(auto directory, directory_of(frame, words.front(), path));
  std::string alias = base_name(directory);
  if (has_alias) {
    INGOT_TRY(alias, value_of(frame, words[2]));
  }
  if (alias.empty() || alias.find_first_of("/+.") != std::string::npos) {
    return fail_at(words.back().place, ErrorKind::invalid,
                   "\"" + base::printable(alias) + "\" is no name for an import", kForm);
  }
  // One of the recipe itself hides one that stands above all targets.
  frame.progress.imports[alias] = directory;
  return {};
}

}  // namespace ingot::earthfile
