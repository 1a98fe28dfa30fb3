#pragma once

#include <string_view>

// What conditions compare with, as all shells do it.
namespace ingot::shell {

enum class Outcome {
  yes,
  no,
  error,        // the command ends with 2: false, but its negation is false too
  no_or_error,  // false, but its negation is not known
  unknown,      // only the shell can say
};

Outcome outcome(bool value);
Outcome negated(Outcome outcome);

// Locales may take different bytes for equal, so that only ASCII is known to differ.
Outcome equal(std::string_view left, std::string_view right);

bool is_integer_operator(std::string_view op);
// Of `[`: decimal, with whatever else the shells' own readers take left to them.
Outcome compare_integers(std::string_view left, std::string_view op, std::string_view right);
// Of bash's `[[`, where a number is an expression: only what is surely a decimal number is compared.
Outcome compare_expressions(std::string_view left, std::string_view op, std::string_view right);

}  // namespace ingot::shell
