#include <regex.h>

#include "daemon/shell/characters.h"
#include "daemon/shell/pattern.h"

namespace ingot::shell {

namespace {

// Beyond what anybody writes, and short enough that the worst expression takes milliseconds.
constexpr std::size_t kLongestRegex = 128;
constexpr std::size_t kLongestMatched = 1024;
constexpr std::string_view kSpecial = ".[]()*+?{}|^$\\";

struct Character {
  char c = 0;
  bool text = false;  // quoted: stands for itself
};

// nullopt: a backslash before a letter, which some libraries give a meaning (\w, \b), or a pattern too long.
std::optional<std::vector<Character>> characters_of(const std::vector<Run>& regex) {
  std::vector<Character> out;
  for (const Run& run : regex) {
    const bool escaped = run.origin == Run::Origin::escaped;
    for (const char c : run.text) {
      if (!is_printable(c) || (escaped && !is_one_of(c, kSpecial))) return std::nullopt;
      if (run.origin == Run::Origin::expanded && c == '\\') return std::nullopt;
      out.push_back({c, escaped || run.origin == Run::Origin::quoted});
    }
    if (out.size() > kLongestRegex) return std::nullopt;
  }
  return out;
}

// Checks that an expression is of the simple kind, and writes it with all quoting as backslashes.
class SimpleRegex {
 public:
  SimpleRegex(const std::vector<Character>& in, bool plain_order) : in_(in), plain_order_(plain_order) {}

  std::optional<std::string> read() {
    while (at_ < in_.size()) {
      if (!read_one()) return std::nullopt;
    }
    // `()`, `a|` and the empty expression mean different things to different libraries.
    if (depth_ != 0 || branch_is_empty_) return std::nullopt;
    return out_;
  }

 private:
  enum class Last { nothing, atom, group };

  bool read_one() {
    const Character character = in_[at_++];
    const char c = character.c;
    if (character.text || !is_one_of(c, kSpecial)) return add_text(c);
    switch (c) {
      case '.':
        return add_atom(".");
      case '^':
        out_ += c;
        return at_ == 1;
      case '$':
        out_ += c;
        return at_ == in_.size();
      case '*':
      case '+':
      case '?':
        return add_repetition(c);
      case '(':
        out_ += c;
        ++depth_;
        branch_is_empty_ = true;
        last_ = Last::nothing;
        return true;
      case ')':
        out_ += c;
        last_ = Last::group;
        return !branch_is_empty_ && depth_-- > 0;
      case '|': {
        const bool was_empty = branch_is_empty_;
        out_ += c;
        branch_is_empty_ = true;
        last_ = Last::nothing;
        return !was_empty;
      }
      case '[':
        return add_bracket();
      case '\\':
        return at_ < in_.size() && is_one_of(in_[at_].c, ".[()*+?{|^$\\") && add_text(in_[at_++].c);
      default:
        return false;
    }
  }

  bool add_atom(std::string_view atom) {
    out_ += atom;
    branch_is_empty_ = false;
    last_ = Last::atom;
    return true;
  }

  bool add_text(char c) { return add_atom(is_one_of(c, kSpecial) ? std::string{'\\', c} : std::string{c}); }

  bool add_repetition(char c) {
    // A group may be left out, but not repeated: that is where engines differ, and take their time.
    if (last_ == Last::nothing || (last_ == Last::group && c != '?')) return false;
    out_ += c;
    last_ = Last::nothing;
    return true;
  }

  bool add_bracket() {
    std::string bracket = "[";
    if (at_ < in_.size() && in_[at_].c == '^' && !in_[at_].text) {
      bracket += '^';
      ++at_;
    }
    const std::size_t first = at_;
    for (; at_ < in_.size() && !in_[at_].text; ++at_) {
      const char c = in_[at_].c;
      if (c == ']') {
        ++at_;
        return at_ - 1 > first && add_atom(bracket + ']');
      }
      const char next = at_ + 1 < in_.size() ? in_[at_ + 1].c : '\0';
      if (c == '-' ? next != ']' && !is_range() : !is_alphanumeric(c) && !is_one_of(c, "_./,@%+ ")) return false;
      bracket += c;
    }
    return false;
  }

  // The `-` here is between two letters of a kind or two digits, and not behind another range.
  bool is_range() const {
    if (!plain_order_ || at_ < 2 || at_ + 1 >= in_.size()) return false;
    const char from = in_[at_ - 1].c;
    const char to = in_[at_ + 1].c;
    const bool of_a_kind =
        (is_digit(from) && is_digit(to)) || (is_lower(from) && is_lower(to)) || (is_upper(from) && is_upper(to));
    return of_a_kind && from <= to && in_[at_ - 2].c != '-' && !in_[at_ + 1].text;
  }

  const std::vector<Character>& in_;
  bool plain_order_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool branch_is_empty_ = true;
  Last last_ = Last::nothing;
  std::string out_;
};

}  // namespace

Outcome matches_regex(std::string_view text, const std::vector<Run>& regex, bool plain_order) {
  const auto characters = characters_of(regex);
  const auto simple = characters ? SimpleRegex(*characters, plain_order).read() : std::nullopt;
  if (!simple || text.size() > kLongestMatched || !is_ascii(text)) return Outcome::unknown;
  regex_t compiled;
  if (regcomp(&compiled, simple->c_str(), REG_EXTENDED | REG_NOSUB) != 0) return Outcome::unknown;
  const int result = regexec(&compiled, std::string(text).c_str(), 0, nullptr, 0);
  regfree(&compiled);
  if (result != 0 && result != REG_NOMATCH) return Outcome::unknown;
  return outcome(result == 0);
}

}  // namespace ingot::shell
