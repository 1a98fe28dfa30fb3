#include "daemon/shell/conditional.h"

#include "daemon/shell/characters.h"
#include "daemon/shell/pattern.h"

namespace ingot::shell {

namespace {

constexpr int kDeepestParentheses = 32;

using Kind = Conditional::Kind;
using Tree = std::unique_ptr<Conditional>;

Tree node(Kind kind) {
  auto out = std::make_unique<Conditional>();
  out->kind = kind;
  return out;
}

std::string bare_text(const Word& word) {
  return !word.parts.empty() && word.is_bare(word.parts[0].text) ? word.parts[0].text : "";
}

// -f and its like, of which only -z and -n are about text.
bool is_unary(std::string_view op) {
  return op.size() == 2 && op[0] == '-' && is_alphanumeric(op[1]) && !is_digit(op[1]);
}

bool is_comparison(std::string_view op) {
  return op == "=" || op == "==" || op == "!=" || op == "=~" || is_integer_operator(op);
}

class ConditionalReader {
 public:
  explicit ConditionalReader(Lexer& lexer) : lexer_(lexer) { advance(); }

  Tree read() {
    Tree tree = read_either(0);
    const bool closed = token_ && token_->kind == Token::Kind::word && token_->word.is_bare("]]");
    return closed ? std::move(tree) : nullptr;
  }

 private:
  void advance() { token_ = lexer_.next(); }
  bool at(Token::Kind kind) const { return token_ && token_->kind == kind; }
  bool at_operand() const { return at(Token::Kind::word) && !token_->word.is_bare("]]"); }

  Tree read_either(int depth) {
    return read_chain(Kind::either, Token::Kind::or_else,
                      [&] { return read_chain(Kind::both, Token::Kind::and_then, [&] { return read_term(depth); }); });
  }

  template <typename Read>
  Tree read_chain(Kind kind, Token::Kind separator, Read read_one) {
    Tree first = read_one();
    if (!first || !at(separator)) return first;
    Tree out = node(kind);
    out->inner.push_back(std::move(first));
    while (at(separator)) {
      advance();
      out->inner.push_back(read_one());
      if (!out->inner.back()) return nullptr;
    }
    return out;
  }

  Tree read_term(int depth) {
    if (depth > kDeepestParentheses) return nullptr;
    if (at(Token::Kind::open)) {
      advance();
      Tree out = read_either(depth + 1);
      if (!out || !at(Token::Kind::close)) return nullptr;
      advance();
      return out;
    }
    if (!at_operand()) return nullptr;
    if (token_->word.is_bare("!")) {
      advance();
      Tree out = node(Kind::negation);
      out->inner.push_back(read_term(depth + 1));
      return out->inner.back() ? std::move(out) : nullptr;
    }
    return read_test();
  }

  Tree read_test() {
    Tree out = node(Kind::text);
    out->left = std::move(token_->word);
    out->op = bare_text(out->left);
    advance();
    if (is_unary(out->op)) {
      if (!at_operand()) return nullptr;
      out->kind = Kind::unary;
      out->left = std::move(token_->word);
      advance();
      return out;
    }
    if (!at_operand()) return out;
    out->op = bare_text(token_->word);
    if (!is_comparison(out->op)) return nullptr;
    out->kind = Kind::comparison;
    token_ = out->op == "=~" ? lexer_.next_regex() : lexer_.next();
    if (!at_operand()) return nullptr;
    out->right = std::move(token_->word);
    advance();
    return out;
  }

  Lexer& lexer_;
  std::optional<Token> token_;
};

Outcome evaluate_comparison(const Conditional& conditional, Expander& expander, bool plain_order) {
  const auto left = expander.runs(conditional.left);
  const auto right = expander.runs(conditional.right);
  if (!left || !right) return Outcome::unknown;
  const std::string text = text_of(*left);
  if (is_integer_operator(conditional.op)) return compare_expressions(text, conditional.op, text_of(*right));
  if (conditional.op == "=~") return matches_regex(text, *right, plain_order);
  const Outcome matches = matches_pattern(text, *right);
  return conditional.op == "!=" ? negated(matches) : matches;
}

Outcome evaluate_text(const Conditional& conditional, Expander& expander) {
  if (conditional.kind == Kind::unary && conditional.op != "-z" && conditional.op != "-n") return Outcome::unknown;
  const auto runs = expander.runs(conditional.left);
  if (!runs) return Outcome::unknown;
  const bool empty = text_of(*runs).empty();
  return outcome(conditional.kind == Kind::unary && conditional.op == "-z" ? empty : !empty);
}

}  // namespace

std::unique_ptr<Conditional> read_conditional(Lexer& lexer) {
  return ConditionalReader(lexer).read();
}

Outcome evaluate(const Conditional& conditional, Expander& expander, bool plain_order) {
  switch (conditional.kind) {
    case Kind::both:
    case Kind::either: {
      // What decides ends it; what is not known might end otherwise.
      const Outcome goes_on = outcome(conditional.kind == Kind::both);
      for (const auto& inner : conditional.inner) {
        const Outcome result = evaluate(*inner, expander, plain_order);
        if (result != goes_on) return result;
      }
      return goes_on;
    }
    case Kind::negation:
      return negated(evaluate(*conditional.inner[0], expander, plain_order));
    case Kind::text:
    case Kind::unary:
      return evaluate_text(conditional, expander);
    case Kind::comparison:
      return evaluate_comparison(conditional, expander, plain_order);
  }
  return Outcome::unknown;
}

}  // namespace ingot::shell
