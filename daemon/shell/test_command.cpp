#include "daemon/shell/test_command.h"

#include <array>
#include <span>

#include "daemon/shell/characters.h"
#include "daemon/shell/pattern.h"

namespace ingot::shell {

namespace {

using Arguments = std::span<const std::string>;

// Nesting of `!` and parentheses beyond what anybody writes.
constexpr int kDeepest = 32;

bool is_binary(std::string_view op) {
  return op == "=" || op == "==" || op == "!=" || is_integer_operator(op);
}

bool is_plain_unary(std::string_view op) {
  return op == "-z" || op == "-n";
}

// Some shell may take it for an operator. A single `-` and negative numbers are none.
bool could_be_operator(std::string_view argument) {
  constexpr std::array kOperators = {"=", "==", "!=", "=~", "<", ">", "!", "(", ")", "[", "]", "[[", "]]"};
  if (is_list_operator(argument) || std::find(kOperators.begin(), kOperators.end(), argument) != kOperators.end()) {
    return true;
  }
  return argument.size() > 1 && argument[0] == '-' && !is_digit(argument[1]);
}

Outcome unary(std::string_view op, std::string_view operand) {
  if (op == "-z") return outcome(operand.empty());
  if (op == "-n") return outcome(!operand.empty());
  return Outcome::unknown;
}

Outcome compare(std::string_view left, std::string_view op, const std::string& right, const TestDialect& dialect) {
  if (is_integer_operator(op)) return compare_integers(left, op, right);
  // dash has no `==`: what follows its left operand is one argument too many.
  if (op == "==" && dialect.shell == Shell::dash) return Outcome::error;
  // busybox's `[[` matches patterns, or does not yet in old versions.
  if (dialect.doubled && has_wildcards(right)) return Outcome::unknown;
  const Outcome equality = equal(left, right);
  return op == "!=" ? negated(equality) : equality;
}

Outcome compare_regex(std::string_view text, const std::string& regex, bool plain_order) {
  // Old versions do not know the operator, which is an error: false as well.
  const bool fails = matches_regex(text, {{Run::Origin::written, regex}}, plain_order) == Outcome::no;
  return fails ? Outcome::no_or_error : Outcome::unknown;
}

// An expression of any length, read as the grammar that all shells have in common, where no argument could be taken for
// something else.
class Expression {
 public:
  Expression(Arguments arguments, const TestDialect& dialect) : arguments_(arguments), dialect_(dialect) {}

  Outcome evaluate() {
    const Outcome result = either(0);
    return at_ == arguments_.size() ? result : Outcome::unknown;
  }

 private:
  bool skip(std::string_view expected) {
    if (at_ == arguments_.size() || arguments_[at_] != expected) return false;
    ++at_;
    return true;
  }

  static Outcome joined(Outcome left, Outcome right, bool is_and) {
    // All shells look at both sides; an error of one is the error of all.
    for (const Outcome failure : {Outcome::unknown, Outcome::no_or_error, Outcome::error}) {
      if (left == failure || right == failure) return failure == Outcome::error ? failure : Outcome::unknown;
    }
    return outcome(is_and ? left == Outcome::yes && right == Outcome::yes
                          : left == Outcome::yes || right == Outcome::yes);
  }

  Outcome either(int depth) {
    Outcome result = both(depth);
    while (skip("-o") || (dialect_.doubled && skip("||"))) result = joined(result, both(depth), false);
    return result;
  }

  Outcome both(int depth) {
    Outcome result = term(depth);
    while (skip("-a") || (dialect_.doubled && skip("&&"))) result = joined(result, term(depth), true);
    return result;
  }

  Outcome term(int depth) {
    if (at_ == arguments_.size() || depth > kDeepest) return Outcome::unknown;
    if (skip("!")) return negated(term(depth + 1));
    if (skip("(")) {
      const Outcome result = either(depth + 1);
      return skip(")") ? result : Outcome::unknown;
    }
    const std::string& first = arguments_[at_++];
    if (is_plain_unary(first)) {
      const std::string* operand = plain_operand();
      return operand ? unary(first, *operand) : Outcome::unknown;
    }
    if (could_be_operator(first)) return Outcome::unknown;
    if (at_ == arguments_.size() || !is_binary(arguments_[at_])) return outcome(!first.empty());
    const std::string& op = arguments_[at_++];
    const std::string* right = plain_operand();
    return right ? compare(first, op, *right, dialect_) : Outcome::unknown;
  }

  const std::string* plain_operand() {
    if (at_ == arguments_.size() || could_be_operator(arguments_[at_])) return nullptr;
    return &arguments_[at_++];
  }

  Arguments arguments_;
  const TestDialect& dialect_;
  std::size_t at_ = 0;
};

// POSIX says what up to four arguments mean by how many there are, whatever they look like.
Outcome of_two(Arguments arguments) {
  const std::string& first = arguments[0];
  if (first == "!") return outcome(arguments[1].empty());
  if (is_plain_unary(first)) return unary(first, arguments[1]);
  // What an unquoted variable with nothing in it leaves of `$X = b` and `a = $X`.
  const std::string& second = arguments[1];
  if (is_binary(first) && !could_be_operator(second)) return Outcome::error;
  if (is_binary(second) && !could_be_operator(first)) return Outcome::error;
  // It says about a file, or is an operator of one shell only; and dash takes `a -o` for an expression.
  return could_be_operator(first) || could_be_operator(second) ? Outcome::unknown : Outcome::error;
}

Outcome of_three(Arguments arguments, const TestDialect& dialect) {
  const std::string& first = arguments[0];
  const std::string& op = arguments[1];
  const std::string& last = arguments[2];
  if (op == "==" && dialect.shell == Shell::dash && could_be_operator(first)) return Outcome::unknown;
  if (op == "=~" && dialect.doubled && !could_be_operator(first))
    return compare_regex(first, last, dialect.plain_order);
  if (is_binary(op)) return compare(first, op, last, dialect);
  if (op == "-a" || op == "-o") return Expression(arguments, dialect).evaluate();
  if (first == "!") return negated(of_two(arguments.subspan(1)));
  if (could_be_operator(op)) return Outcome::unknown;
  if (first == "(" && last == ")") return outcome(!op.empty());
  return could_be_operator(first) && !is_plain_unary(first) ? Outcome::unknown : Outcome::error;
}

Outcome of_few(Arguments arguments, const TestDialect& dialect) {
  switch (arguments.size()) {
    case 0:
      return Outcome::no;
    case 1:
      return outcome(!arguments[0].empty());
    case 2:
      return of_two(arguments);
    case 3:
      return of_three(arguments, dialect);
    default:
      if (arguments[0] != "!") return Expression(arguments, dialect).evaluate();
      // `! a -a b` is `! ( a -a b )` with four arguments, and `( ! a ) -a b` with more; not all shells know.
      if (arguments[2] == "-a" || arguments[2] == "-o") return Outcome::unknown;
      return negated(of_three(arguments.subspan(1), dialect));
  }
}

}  // namespace

bool is_list_operator(std::string_view argument) {
  return argument == "&&" || argument == "||";
}

Outcome test_command(const std::vector<std::string>& arguments, const TestDialect& dialect) {
  const bool is_list = dialect.doubled && std::any_of(arguments.begin(), arguments.end(), is_list_operator);
  if (arguments.size() > 4) return Expression(arguments, dialect).evaluate();
  if (!is_list) return of_few(arguments, dialect);
  // What `! a && b` negates is not the same in all versions.
  return arguments[0] == "!" ? Outcome::unknown : Expression(arguments, dialect).evaluate();
}

}  // namespace ingot::shell
