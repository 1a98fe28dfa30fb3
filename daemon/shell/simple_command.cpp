#include "daemon/shell/simple_command.h"

#include <algorithm>

#include "daemon/shell/test_command.h"

namespace ingot::shell {

namespace {

bool looks_like_assignment(const Word& word) {
  return std::any_of(word.parts.begin(), word.parts.end(), [](const Part& part) {
    return part.quoting == Quoting::none && !part.parameter && part.text.find('=') != std::string::npos;
  });
}

// More `&&` and `||` than were written: some versions of busybox do not tell them from operators.
bool has_values_like_operators(const std::vector<Word>& words, const std::vector<std::string>& fields) {
  const auto written = std::count_if(words.begin(), words.end(),
                                     [](const Word& word) { return word.is_bare("&&") || word.is_bare("||"); });
  return std::count_if(fields.begin(), fields.end(), is_list_operator) != written;
}

// `[` and `[[` end with their bracket, else it is an error.
Outcome run_bracket(std::vector<std::string> fields, std::string_view bracket, const TestDialect& dialect) {
  fields.erase(fields.begin());
  if (fields.empty()) return Outcome::error;
  if (fields.back() != bracket) {
    // dash looks at the first character only, so far.
    const bool closes = dialect.shell == Shell::dash && fields.back().starts_with(bracket);
    return closes ? Outcome::unknown : Outcome::error;
  }
  fields.pop_back();
  return test_command(fields, dialect);
}

}  // namespace

Outcome run_simple_command(const std::vector<Word>& words, Shell shell, const Environment& environment,
                           Expander& expander) {
  if (looks_like_assignment(words[0])) return Outcome::unknown;
  TestDialect dialect{shell, false, environment.has_plain_order()};
  if (words[0].is_bare("[[")) {
    if (shell == Shell::dash) return Outcome::no;  // no such command
    dialect.doubled = true;
  }
  auto fields = expander.fields(words);
  if (!fields) return Outcome::unknown;
  if (fields->empty()) return Outcome::yes;  // `$X` of an empty X runs nothing
  const std::string name = fields->front();
  if (shell == Shell::bash && environment.defines_function(name)) return Outcome::unknown;
  if (name == "true" || name == ":") return Outcome::yes;
  if (name == "false") return Outcome::no;
  if (name == "[") return run_bracket(std::move(*fields), "]", dialect);
  if (dialect.doubled && has_values_like_operators(words, *fields)) return Outcome::unknown;
  if (name == "[[" && dialect.doubled) return run_bracket(std::move(*fields), "]]", dialect);
  if (name != "test") return Outcome::unknown;
  fields->erase(fields->begin());
  return test_command(*fields, dialect);
}

}  // namespace ingot::shell
