#include "daemon/earthfile/expand.h"

#include <cctype>

#include "daemon/base/strings.h"

namespace ingot::earthfile {

namespace {

constexpr int kDeepestNesting = 50;

bool begins_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// One pass from left to right; what stands behind an operator is read by the same rules, up to its "}".
class Expander {
 public:
  Expander(const Word& word, const Lookup& lookup, bool keeps_quotes)
      : word_(word), text_(word.text), lookup_(lookup), keeps_quotes_(keeps_quotes) {}

  Result<std::string> run() { return until('\0'); }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  tl::unexpected<Error> fail_at(std::size_t offset, ErrorKind kind, std::string message, std::string hint = {}) const {
    return base::fail({kind, std::move(message), std::move(hint), word_.place.plus(offset).position(), {}});
  }

  Result<std::string> until(char stop) {
    std::string value;
    char quote = '\0';
    while (at_ < text_.size() && (quote != '\0' || stop == '\0' || peek() != stop)) {
      const char c = peek();
      if (c == '$' && quote != '\'') {
        INGOT_TRY(auto part, variable());
        value += part;
      } else if (c == '\\' && quote != '\'') {
        value += escaped(quote);
      } else if (c == quote || (quote == '\0' && (c == '"' || c == '\''))) {
        quote = quote == '\0' ? c : '\0';
        if (keeps_quotes_) value += c;
        ++at_;
      } else {
        value += c;
        ++at_;
      }
      if (value.size() > kLongestValue) {
        return fail_at(0, ErrorKind::too_large, "this value is longer than " + base::human_bytes(kLongestValue),
                       "put long texts into a file, and COPY it");
      }
    }
    return value;
  }

  // At a backslash. Within double quotes it is only special before these four.
  std::string escaped(char quote) {
    const char next = peek(1);
    const std::size_t length = at_ + 1 < text_.size() ? 2 : 1;
    const bool special =
        keeps_quotes_ ? next == '$' : quote != '"' || next == '"' || next == '\\' || next == '$' || next == '`';
    const std::size_t dropped = length == 2 && special ? 1 : 0;
    std::string value = text_.substr(at_ + dropped, length - dropped);
    at_ += length;
    return value;
  }

  // At a "$".
  Result<std::string> variable() {
    if (peek(1) == '(') return shell_out();
    if (peek(1) == '{') return braced();
    ++at_;
    if (!begins_name(peek())) return std::string("$");
    const std::size_t start = at_ - 1;
    INGOT_TRY(const auto value, look_up(name(), start));
    return value.value_or("");
  }

  Result<std::optional<std::string>> look_up(const std::string& name, std::size_t offset) const {
    auto value = lookup_.variable(name);
    if (value || !lookup_.asked) return value;
    return lookup_.asked(name, word_.place.plus(offset));
  }

  // At the "$" of "$(". The shell reads what is inside, so only its end is looked for here.
  Result<std::string> shell_out() {
    const std::size_t start = at_;
    int open = 0;
    char quote = '\0';
    for (at_ += 1; at_ < text_.size(); ++at_) {
      const char c = peek();
      if (c == '\\' && quote != '\'') {
        ++at_;
      } else if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '(') {
        ++open;
      } else if (c == ')' && --open == 0) {
        break;
      }
    }
    if (at_ >= text_.size())
      return fail_at(start, ErrorKind::syntax, "\"$(\" is never closed", "add the missing \")\"");
    const std::string command = text_.substr(start + 2, at_ - start - 2);
    ++at_;
    const Place place = word_.place.plus(start);
    if (!lookup_.shell_out) {
      return fail_at(start, ErrorKind::unsupported, "$(...) has no container to run in here", "write the value itself");
    }
    return lookup_.shell_out(command, place);
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
      return fail_at(start, ErrorKind::syntax, "\"${\" is nested too deep here", "use a variable for the inner part");
    }
    at_ += 2;
    if (!begins_name(peek())) {
      return fail_at(start, ErrorKind::syntax, "\"${\" is followed by no variable's name",
                     "write ${NAME}, or \\$ for a dollar");
    }
    const std::string variable = name();
    INGOT_TRY(auto value, operation(variable, start));
    if (peek() != '}') return fail_at(start, ErrorKind::syntax, "\"${\" is never closed", "add the missing \"}\"");
    ++at_;
    --depth_;
    return value;
  }

  // Behind the name: what stands there up to the "}", which is left.
  Result<std::string> operation(const std::string& variable, std::size_t start) {
    INGOT_TRY(const auto found, look_up(variable, start));
    const std::string value = found.value_or("");
    if (at_ >= text_.size() || peek() == '}') return value;
    const bool colon = peek() == ':';
    const char kind = peek(colon ? 1 : 0);
    const bool known = kind == '-' || kind == '+' || kind == '?' || (!colon && (kind == '#' || kind == '%'));
    if (!known) {
      return fail_at(at_, ErrorKind::syntax, "\"${" + variable + "\" is followed by no operation that there is",
                     "there are :- :+ :? # and %");
    }
    at_ += colon ? 2 : 1;
    if ((kind == '#' || kind == '%') && peek() == kind) ++at_;  // the same, since the pattern is a plain text
    INGOT_TRY(auto operand, until('}'));
    const bool set = colon ? !value.empty() : found.has_value();
    if (kind == '-') return set ? value : operand;
    if (kind == '+') return set ? operand : std::string();
    if (kind == '#') return value.starts_with(operand) ? value.substr(operand.size()) : value;
    if (kind == '%') return value.ends_with(operand) ? value.substr(0, value.size() - operand.size()) : value;
    if (set) return value;
    return fail_at(start, ErrorKind::invalid, variable + ": " + (operand.empty() ? "it is not set" : operand),
                   "give it a value: --" + variable + "=...");
  }

  const Word& word_;
  const std::string& text_;
  const Lookup& lookup_;
  const bool keeps_quotes_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::string> expand(const Word& word, const Lookup& lookup) {
  return Expander(word, lookup, false).run();
}

Result<std::string> expand_for_shell(const Word& word, const Lookup& lookup) {
  return Expander(word, lookup, true).run();
}

}  // namespace ingot::earthfile
