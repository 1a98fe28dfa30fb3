#include "daemon/shell/comparison.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "daemon/shell/characters.h"

namespace ingot::shell {

namespace {

struct Integer {
  enum class Kind {
    number,
    empty,    // an error to new shells, 0 to some old ones
    invalid,  // an error to all
    unknown,
  };
  Kind kind = Kind::unknown;
  std::int32_t value = 0;
};

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && is_one_of(text[0], "+-")) text.remove_prefix(1);
  return text;
}

// Some builds of busybox count in 32 bits, so what is longer is left to the shells.
std::optional<std::int32_t> decimal(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int32_t value = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

Integer integer(std::string_view text) {
  if (text.empty()) return {Integer::Kind::empty, 0};
  const std::string_view digits = without_sign(text);
  if (!digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit)) {
    const auto value = decimal(text);
    return value ? Integer{Integer::Kind::number, *value} : Integer{};
  }
  // Blanks and signs alone: some take them, in some places. With any other character it is no number.
  const bool invalid = is_ascii(text) && std::any_of(text.begin(), text.end(), [](char c) {
                         return is_printable(c) && !is_digit(c) && !is_one_of(c, " +-");
                       });
  return {invalid ? Integer::Kind::invalid : Integer::Kind::unknown, 0};
}

bool holds(std::int32_t left, std::string_view op, std::int32_t right) {
  if (op == "-eq") return left == right;
  if (op == "-ne") return left != right;
  if (op == "-lt") return left < right;
  if (op == "-le") return left <= right;
  if (op == "-gt") return left > right;
  return left >= right;
}

}  // namespace

Outcome outcome(bool value) {
  return value ? Outcome::yes : Outcome::no;
}

Outcome negated(Outcome of) {
  if (of == Outcome::yes) return Outcome::no;
  if (of == Outcome::no) return Outcome::yes;
  return of == Outcome::error ? Outcome::error : Outcome::unknown;
}

Outcome equal(std::string_view left, std::string_view right) {
  if (left == right) return Outcome::yes;
  const bool surely_differ = left.empty() || right.empty() || (is_ascii(left) && is_ascii(right));
  return surely_differ ? Outcome::no : Outcome::unknown;
}

bool is_integer_operator(std::string_view op) {
  constexpr std::array kOperators = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
  return std::find(kOperators.begin(), kOperators.end(), op) != kOperators.end();
}

Outcome compare_integers(std::string_view left, std::string_view op, std::string_view right) {
  using Kind = Integer::Kind;
  const Integer a = integer(left);
  const Integer b = integer(right);
  if (a.kind == Kind::invalid || b.kind == Kind::invalid) return Outcome::error;
  if (a.kind == Kind::unknown || b.kind == Kind::unknown) return Outcome::unknown;
  if (a.kind == Kind::number && b.kind == Kind::number) return outcome(holds(a.value, op, b.value));
  // With an empty operand it is an error or a comparison with 0: false either way, where that one does not hold.
  return holds(a.value, op, b.value) ? Outcome::unknown : Outcome::no_or_error;
}

Outcome compare_expressions(std::string_view left, std::string_view op, std::string_view right) {
  const auto surely_decimal = [](std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    return is_digit(digits.empty() ? '\0' : digits[0]) && (digits[0] != '0' || digits == "0");
  };
  if (!surely_decimal(left) || !surely_decimal(right)) return Outcome::unknown;
  const auto a = decimal(left);
  const auto b = decimal(right);
  return a && b ? outcome(holds(*a, op, *b)) : Outcome::unknown;
}

}  // namespace ingot::shell
