#include "daemon/earthfile/expand.h"

#include <cctype>

namespace ingot::earthfile {

namespace {

bool begins_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Expander {
 public:
  Expander(const std::string& word, const proto::Position& position, const Lookup& lookup)
      : word_(word), position_(position), lookup_(lookup) {}

  Result<std::string> run() {
    std::string value;
    char quote = '\0';
    while (at_ < word_.size()) {
      const char c = word_[at_];
      if (quote == '\'') {
        if (c == '\'')
          quote = '\0';
        else
          value += c;
        ++at_;
      } else if (c == '\\' && at_ + 1 < word_.size()) {
        const char next = word_[at_ + 1];
        // Within double quotes a backslash is only special before these.
        if (quote == '"' && next != '"' && next != '\\' && next != '$' && next != '`') value += c;
        value += next;
        at_ += 2;
      } else if (c == '"' || (c == '\'' && quote == '\0')) {
        quote = quote == '\0' ? c : '\0';
        ++at_;
      } else if (c == '$') {
        INGOT_TRY(auto part, variable());
        value += part;
      } else {
        value += c;
        ++at_;
      }
    }
    return value;
  }

 private:
  tl::unexpected<Error> fail_here(ErrorKind kind, std::string message, std::string hint) const {
    Error error{kind, std::move(message), std::move(hint), position_, {}};
    if (error.position->column > 0) error.position->column += static_cast<int>(at_);
    return base::fail(std::move(error));
  }

  // At a "$".
  Result<std::string> variable() {
    const char next = at_ + 1 < word_.size() ? word_[at_ + 1] : '\0';
    if (next == '(') {
      return fail_here(ErrorKind::unsupported, "$(...) outside of RUN is not understood by this version of Ingot",
                       "run the command in a RUN, or give its result as a --NAME=value argument");
    }
    if (next == '{') return braced();
    if (!begins_name(next)) {
      ++at_;
      return std::string("$");
    }
    std::size_t end = at_ + 1;
    while (end < word_.size() && in_name(word_[end])) ++end;
    const std::string name = word_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    return lookup_(name).value_or("");
  }

  // At the "$" of "${".
  Result<std::string> braced() {
    std::size_t end = at_ + 2;
    int depth = 1;
    for (; end < word_.size(); ++end) {
      if (word_[end] == '{' && word_[end - 1] == '$') ++depth;
      if (word_[end] == '}' && --depth == 0) break;
    }
    if (end == word_.size()) return fail_here(ErrorKind::syntax, "\"${\" is never closed", "add the missing \"}\"");
    const std::string inside = word_.substr(at_ + 2, end - at_ - 2);
    std::size_t length = 0;
    while (length < inside.size() && in_name(inside[length])) ++length;
    const std::string name = inside.substr(0, length);
    if (name.empty() || !begins_name(name.front())) {
      return fail_here(ErrorKind::syntax, "\"${" + inside + "}\" names no variable", "write ${NAME}");
    }
    INGOT_TRY(auto value, apply(name, inside.substr(length)));
    at_ = end + 1;
    return value;
  }

  Result<std::string> apply(const std::string& name, const std::string& operation) {
    const auto found = lookup_(name);
    const std::string value = found.value_or("");
    if (operation.empty()) return value;
    const bool colon = operation.front() == ':';
    const std::string rest = operation.substr(colon ? 1 : 0);
    const bool set = colon ? !value.empty() : found.has_value();
    if (rest.empty()) return bad_operation(operation);
    INGOT_TRY(auto operand, expand(rest.substr(1), position_, lookup_));
    switch (rest.front()) {
      case '-':
        return set ? value : operand;
      case '+':
        return set ? operand : std::string();
      case '?':
        if (set) return value;
        return fail_here(ErrorKind::invalid, name + ": " + (operand.empty() ? "is not set" : operand), "");
      case '#':
        if (colon) break;
        return value.starts_with(operand) ? value.substr(operand.size()) : value;
      case '%':
        if (colon) break;
        return value.ends_with(operand) ? value.substr(0, value.size() - operand.size()) : value;
      default:
        break;
    }
    return bad_operation(operation);
  }

  tl::unexpected<Error> bad_operation(const std::string& operation) const {
    return fail_here(ErrorKind::syntax, "\"" + operation + "\" is no operation on a variable",
                     "there are :- - :+ + :? ? # and %");
  }

  const std::string& word_;
  const proto::Position& position_;
  const Lookup& lookup_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::string> expand(const std::string& word, const proto::Position& position, const Lookup& lookup) {
  return Expander(word, position, lookup).run();
}

}  // namespace ingot::earthfile
