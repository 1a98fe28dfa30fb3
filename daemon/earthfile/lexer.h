#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// One statement: continued lines joined, comments gone, cut into words.
struct Statement {
  std::vector<Word> words;    // at least one
  std::string text;           // all words, inner spaces kept, outer ones gone
  std::size_t indent = 0;     // white space before the first word
  std::string comment;        // the comment lines right above
  std::size_t begin = 0;      // where its first word stands in the source
  std::size_t words_end = 0;  // behind the last character of its last word
  std::size_t end = 0;        // where the line ends that is its last: a line break, or the end of the file
  std::vector<std::size_t>
      kept_breaks;  // line breaks within quotes: they and the white space behind them have a meaning

  // Empty again; what memory it has serves the next one.
  void clear();
};

// Cuts a file into statements, in time linear in its length. White space and "#" mean nothing within quotes and
// $(...), which nest as they do in a shell. The source must outlive the words.
class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source), text_(source.text()) {}

  // False at the end of the file; what was in `statement` is gone. After an error the next call goes on behind the line
  // at fault.
  Result<bool> next(Statement& statement);

 private:
  // An open quote or parenthesis: its character, and where it stands.
  struct Opening {
    char kind;
    std::size_t at;
  };

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  std::size_t line_end() const { return std::min(text_.find('\n', at_), text_.size()); }
  void next_line() { at_ = std::min(line_end() + 1, text_.size()); }
  bool skip_blank_and_comment_lines(std::string* comment);
  bool skip_continuation();
  bool take(Statement& statement);
  void take_backslash(Statement& statement);
  void take_structure(char c);
  void add(Statement& statement, std::size_t length);
  std::size_t plain_length() const;
  tl::unexpected<Error> unclosed_quote();

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  // Of the statement being read:
  std::vector<Opening> open_;
  std::size_t quotes_ = 0;  // how many of open_ are quotes
  std::string gap_;         // white space since the last word: kept when another one follows
  bool in_word_ = false;
  bool behind_dollar_ = false;  // the last character was a "$" that nothing escapes
};

}  // namespace ingot::earthfile
