#pragma once

#include <optional>
#include <string_view>

#include "daemon/shell/word.h"

namespace ingot::shell {

struct Token {
  enum class Kind { word, and_then, or_else, open, close, end };
  Kind kind = Kind::end;
  Word word;
};

// Reads the tokens of one line of shell command text. It refuses what has to be left to a shell: redirections, pipes,
// jobs, several commands, substitutions, tildes, braces, and every byte that is not printable ASCII.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // nullopt: refused; what the text means from here on is not known.
  std::optional<Token> next();
  // The word behind bash's `=~`, in which `(`, `)` and `|` are characters.
  std::optional<Token> next_regex();

  // The text was refused because a quote is never closed, which is a syntax error to every shell.
  bool ended_in_quotes() const { return ended_in_quotes_; }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool skip(char expected);
  void skip_blanks();

  std::optional<Token> read_word(bool regex);
  bool read_piece(Word& word, bool regex);
  bool read_escaped(Parts& parts);
  bool read_single_quoted(Parts& parts);
  bool read_double_quoted(Parts& parts);
  // What follows a `$`; a `$` that is followed by nothing of the kind is text.
  bool read_dollar(Parts& parts, Quoting quoting);
  std::unique_ptr<Parameter> read_parameter(Quoting quoting, int depth);
  std::unique_ptr<Parameter> read_braces(Quoting quoting, int depth);
  bool read_operation(Parameter& parameter);
  bool read_operand(Parameter& parameter, Quoting quoting, int depth);
  std::string read_name();

  std::string_view text_;
  std::size_t at_ = 0;
  bool ended_in_quotes_ = false;
};

}  // namespace ingot::shell
