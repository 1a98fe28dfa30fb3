#include "daemon/shell/lexer.h"

#include "daemon/shell/characters.h"

namespace ingot::shell {

namespace {

// `${X:-${Y:-...}}` as deep as nobody writes it; what reads and expands it calls itself.
constexpr int kDeepestQuotes = 16;

void append(Parts& parts, Quoting quoting, char c) {
  // Escaped characters stay by themselves: in a regular expression it matters which ones were.
  const bool joins = !parts.empty() && !parts.back().parameter && parts.back().quoting == quoting;
  if (!joins || quoting == Quoting::escaped) parts.push_back({quoting, "", nullptr});
  parts.back().text += c;
}

// Characters that mean themselves in every operand, quoted or not.
bool is_plain_in_operand(char c) {
  return is_alphanumeric(c) || is_one_of(c, "_./:@+,=-");
}

}  // namespace

bool Lexer::skip(char expected) {
  if (peek() != expected) return false;
  ++at_;
  return true;
}

void Lexer::skip_blanks() {
  while (peek() == ' ' || peek() == '\t') ++at_;
  // Here a word would begin, so this is a comment. A line that follows it is refused.
  if (peek() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
}

std::optional<Token> Lexer::next() {
  skip_blanks();
  if (at_end()) return Token{Token::Kind::end, {}};
  switch (peek()) {
    case '(':
      ++at_;
      return Token{Token::Kind::open, {}};
    case ')':
      ++at_;
      return Token{Token::Kind::close, {}};
    case '&':
      ++at_;
      if (!skip('&')) return std::nullopt;
      return Token{Token::Kind::and_then, {}};
    case '|':
      ++at_;
      if (!skip('|')) return std::nullopt;
      return Token{Token::Kind::or_else, {}};
    default:
      return read_word(false);
  }
}

std::optional<Token> Lexer::next_regex() {
  skip_blanks();
  if (at_end()) return std::nullopt;
  return read_word(true);
}

std::optional<Token> Lexer::read_word(bool regex) {
  Token token{Token::Kind::word, {}};
  int open = 0;  // parentheses of a regular expression have to match, with no blank in between
  while (!at_end() && !is_one_of(peek(), regex ? " \t" : " \t()&|")) {
    open += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
    if (open < 0 || !read_piece(token.word, regex)) return std::nullopt;
  }
  if (open != 0) return std::nullopt;
  return token;
}

bool Lexer::read_piece(Word& word, bool regex) {
  const char c = text_[at_];
  if (c == '\'') return read_single_quoted(word.parts);
  if (c == '"') return read_double_quoted(word.parts);
  if (c == '\\') return read_escaped(word.parts);
  if (c == '$') return read_dollar(word.parts, Quoting::none);
  if (!is_printable(c) || is_one_of(c, ";<>`{}&")) return false;
  if (c == '~') {
    // A home directory, at the start of a word and of what an assignment could assign; but there is an operator `=~`.
    const bool is_operator = word.is_bare("=") && (at_ + 1 == text_.size() || is_blank(text_[at_ + 1]));
    if (word.parts.empty() || regex) return false;
    if (!is_operator && is_one_of(text_[at_ - 1], "=:")) return false;
  }
  append(word.parts, Quoting::none, c);
  ++at_;
  return true;
}

bool Lexer::read_escaped(Parts& parts) {
  ++at_;
  if (at_end() || !is_printable(peek())) return false;
  append(parts, Quoting::escaped, peek());
  ++at_;
  return true;
}

bool Lexer::read_single_quoted(Parts& parts) {
  ++at_;
  const std::size_t close = text_.find('\'', at_);
  const std::string_view quoted = text_.substr(at_, close == std::string_view::npos ? close : close - at_);
  if (!std::all_of(quoted.begin(), quoted.end(), is_printable)) return false;
  if (close == std::string_view::npos) {
    ended_in_quotes_ = true;
    return false;
  }
  parts.push_back({Quoting::quoted, std::string(quoted), nullptr});
  at_ = close + 1;
  return true;
}

bool Lexer::read_double_quoted(Parts& parts) {
  ++at_;
  parts.push_back({Quoting::quoted, "", nullptr});  // "" is a word too
  while (!at_end()) {
    const char c = peek();
    if (skip('"')) return true;
    if (c == '$') {
      if (!read_dollar(parts, Quoting::quoted)) return false;
      continue;
    }
    if (!is_printable(c) || c == '`') return false;
    ++at_;
    // Before anything else a backslash stands for itself.
    if (c == '\\' && is_one_of(peek(), "$`\"\\") && !at_end()) {
      append(parts, Quoting::quoted, peek());
      ++at_;
    } else {
      append(parts, Quoting::quoted, c);
    }
  }
  ended_in_quotes_ = true;
  return false;
}

bool Lexer::read_dollar(Parts& parts, Quoting quoting) {
  ++at_;
  const bool is_text = at_end() || is_one_of(peek(), " \t/.,:=%)|") || (quoting == Quoting::quoted && peek() == '"');
  if (is_text) {
    append(parts, quoting, '$');
    return true;
  }
  auto parameter = read_parameter(quoting, 0);
  if (!parameter) return false;
  parts.push_back({quoting, "", std::move(parameter)});
  return true;
}

std::string Lexer::read_name() {
  const std::size_t start = at_;
  if (is_digit(peek()) && peek() != '0') {  // $10 is $1 and a 0; $0 is the shell's own name
    ++at_;
  } else if (is_name_start(peek())) {
    while (is_name(peek())) ++at_;
  }
  return std::string(text_.substr(start, at_ - start));
}

std::unique_ptr<Parameter> Lexer::read_parameter(Quoting quoting, int depth) {
  if (depth > kDeepestQuotes) return nullptr;
  if (skip('{')) return read_braces(quoting, depth);
  auto parameter = std::make_unique<Parameter>();
  parameter->name = read_name();
  return parameter->name.empty() ? nullptr : std::move(parameter);
}

std::unique_ptr<Parameter> Lexer::read_braces(Quoting quoting, int depth) {
  auto parameter = std::make_unique<Parameter>();
  if (skip('#')) parameter->operation = Parameter::Operation::length;
  parameter->name = read_name();
  if (parameter->name.empty()) return nullptr;
  if (skip('}')) return parameter;
  if (parameter->operation == Parameter::Operation::length) return nullptr;
  if (!read_operation(*parameter) || !read_operand(*parameter, quoting, depth)) return nullptr;
  return parameter;
}

bool Lexer::read_operation(Parameter& parameter) {
  using Operation = Parameter::Operation;
  parameter.empty_is_unset = skip(':');
  const char c = peek();
  if (!is_one_of(c, parameter.empty_is_unset ? "-+" : "-+#%") || at_end()) return false;
  ++at_;
  parameter.operation = c == '-'   ? Operation::otherwise
                        : c == '+' ? Operation::instead
                        : c == '#' ? Operation::drop_prefix
                                   : Operation::drop_suffix;
  parameter.longest = is_one_of(c, "#%") && skip(c);
  return true;
}

bool Lexer::read_operand(Parameter& parameter, Quoting quoting, int depth) {
  const bool is_pattern = parameter.operation == Parameter::Operation::drop_prefix ||
                          parameter.operation == Parameter::Operation::drop_suffix;
  while (!at_end()) {
    if (skip('}')) return true;
    const char c = peek();
    if (skip('$')) {
      auto inner = is_pattern ? nullptr : read_parameter(quoting, depth + 1);
      if (!inner) return false;
      parameter.operand.push_back({quoting, "", std::move(inner)});
      continue;
    }
    const bool is_plain =
        is_plain_in_operand(c) || (is_pattern && c == '*') || (!is_pattern && c == ' ' && quoting == Quoting::quoted);
    if (!is_plain) return false;
    append(parameter.operand, quoting, c);
    ++at_;
  }
  return false;
}

}  // namespace ingot::shell
