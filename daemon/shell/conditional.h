#pragma once

#include <memory>
#include <optional>

#include "daemon/shell/comparison.h"
#include "daemon/shell/expansion.h"
#include "daemon/shell/lexer.h"

namespace ingot::shell {

// bash's `[[ ... ]]`, which is syntax and no command: its words are not split, and what is quoted is no operator.
struct Conditional {
  enum class Kind { both, either, negation, text, unary, comparison };
  Kind kind = Kind::text;
  std::vector<std::unique_ptr<Conditional>> inner;  // of both, either and negation
  std::string op;                                   // of unary and comparison
  Word left;                                        // the text, or the operand of unary
  Word right;
};

// Reads what follows `[[`, and its `]]`. nullptr: not understood, an error to bash perhaps.
std::unique_ptr<Conditional> read_conditional(Lexer& lexer);

Outcome evaluate(const Conditional& conditional, Expander& expander, bool plain_order);

}  // namespace ingot::shell
