#include "daemon/dockerfile/expand.h"

#include <cctype>
#include <utility>

#include "daemon/base/strings.h"
#include "daemon/dockerfile/pattern.h"
#include "daemon/dockerfile/words.h"
#include "daemon/text/fail_at.h"

namespace ingot::dockerfile {

namespace {

constexpr int kDeepestNesting = 50;
constexpr std::size_t kLongestPattern = 256;
constexpr std::size_t kLongestFile = 16U << 20;

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// One pass from left to right; what stands behind an operator is read by the same rules, up to its "}".
class Expander {
 public:
  Expander(const std::string& text, Place place, char escape, bool has_quotes, const Lookup& lookup)
      : text_(text), place_(place), escape_(escape), has_quotes_(has_quotes), lookup_(lookup) {}

  Result<std::string> run() { return until('\0'); }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  // A heredoc's lines are shown by the place of its beginning.
  tl::unexpected<Error> fail_here(std::size_t offset, ErrorKind kind, std::string message, std::string hint) const {
    return text::fail_at(has_quotes_ ? place_.plus(offset) : place_, kind, std::move(message), std::move(hint));
  }

  Result<std::string> until(char stop) {
    std::string value;
    char quote = '\0';
    std::size_t opened = 0;
    while (at_ < text_.size() && (quote != '\0' || stop == '\0' || peek() != stop)) {
      const char c = peek();
      if (c == '$' && quote != '\'') {
        INGOT_TRY(auto part, variable());
        value += part;
      } else if (c == escape_ && quote != '\'') {
        value += escaped(quote);
      } else if (has_quotes_ && (c == quote || (quote == '\0' && (c == '"' || c == '\'')))) {
        opened = at_++;
        quote = quote == '\0' ? c : '\0';
      } else {
        value += c;
        ++at_;
      }
      const std::size_t longest = has_quotes_ ? kLongestValue : kLongestFile;
      if (value.size() > longest) {
        return fail_here(0, ErrorKind::too_large, "this value is longer than " + base::human_bytes(longest),
                         "put long texts into a file, and COPY it");
      }
    }
    if (quote == '\0') return value;
    return fail_here(opened, ErrorKind::syntax, "this quote is never closed",
                     std::string("write ") + escape_ + quote + " for the character itself");
  }

  // At an escape character. Within double quotes, and in a heredoc, it is only special before some.
  std::string escaped(char quote) {
    if (at_ + 1 >= text_.size()) return {text_[at_++]};
    const char next = peek(1);
    const bool few = quote == '"' || !has_quotes_;
    const bool special = !few || next == '$' || next == escape_ || (quote == '"' && next == '"');
    std::string value = special ? std::string(1, next) : text_.substr(at_, 2);
    at_ += 2;
    return value;
  }

  // At a "$".
  Result<std::string> variable() {
    if (peek(1) == '{') return braced();
    ++at_;
    if (!begins_name(peek())) return std::string("$");
    return lookup_(name()).value_or("");
  }

  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  // At the "$" of "${".
  Result<std::string> braced() {
    const std::size_t start = at_;
    if (++depth_ > kDeepestNesting) {
      return fail_here(start, ErrorKind::syntax, "\"${\" is nested too deep here", "use a variable for the inner part");
    }
    at_ += 2;
    if (!begins_name(peek())) {
      return fail_here(start, ErrorKind::syntax, "\"${\" is followed by no variable's name",
                       std::string("write ${NAME}, or ") + escape_ + "$ for a dollar");
    }
    const std::string variable = name();
    INGOT_TRY(auto value, operation(variable, start));
    if (peek() != '}') {
      return fail_here(start, ErrorKind::syntax, "\"${\" is never closed", "add the missing \"}\"");
    }
    ++at_;
    --depth_;
    return value;
  }

  // Behind the name: what stands there up to the "}", which is left.
  Result<std::string> operation(const std::string& variable, std::size_t start) {
    const auto found = lookup_(variable);
    const std::string value = found.value_or("");
    if (at_ >= text_.size() || peek() == '}') return value;
    const bool colon = peek() == ':';
    const char kind = peek(colon ? 1 : 0);
    const bool cuts = !colon && (kind == '#' || kind == '%');
    if (kind != '-' && kind != '+' && kind != '?' && !cuts) {
      return fail_here(at_, ErrorKind::syntax, "\"${" + variable + "\" is followed by no operation that there is",
                       "there are :- :+ :? - + ? # ## % and %%");
    }
    at_ += colon ? 2 : 1;
    const bool most = cuts && peek() == kind;
    if (most) ++at_;
    INGOT_TRY(auto operand, until('}'));
    if (cuts) return cut(value, operand, kind == '%', most, start);
    const bool set = colon ? !value.empty() : found.has_value();
    if (kind == '-') return set ? value : operand;
    if (kind == '+') return set ? operand : std::string();
    if (set) return value;
    return fail_here(start, ErrorKind::invalid, variable + ": " + (operand.empty() ? "it is not set" : operand),
                     "give it a value: --build-arg " + variable + "=...");
  }

  Result<std::string> cut(const std::string& value, const std::string& pattern, bool at_end, bool most,
                          std::size_t start) const {
    if (pattern.size() > kLongestPattern) {
      return fail_here(start, ErrorKind::too_large, "this pattern is too long", "let a RUN do it");
    }
    const auto length = matched_length(pattern, value, most, at_end);
    if (!length) return value;
    return at_end ? value.substr(0, value.size() - *length) : value.substr(*length);
  }

  const std::string& text_;
  const Place place_;
  const char escape_;
  const bool has_quotes_;
  const Lookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::string> expand(const Word& word, char escape, const Lookup& lookup) {
  return Expander(word.text, word.place, escape, true, lookup).run();
}

Result<std::string> expand_lines(const Heredoc& heredoc, char escape, const Lookup& lookup) {
  const std::string lines = heredoc.lines();
  if (!heredoc.expands) return lines;
  return Expander(lines, heredoc.place, escape, false, lookup).run();
}

}  // namespace ingot::dockerfile
