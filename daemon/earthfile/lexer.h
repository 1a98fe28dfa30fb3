#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// One statement: continued lines joined, comments gone, cut into words.
struct Statement {
  std::vector<Word> words;
  std::string text;        // all words, inner spaces kept, outer ones gone
  std::size_t second = 0;  // where in `text` the second word begins; its size when there is none
  std::size_t third = 0;   // likewise the third
  std::size_t indent = 0;  // white space before the first word
  std::string comment;     // the comment lines right above
};

// Cuts a file into statements. Linear in its length. Positions are of the first character of a word, in bytes.
class Lexer {
 public:
  Lexer(std::string_view text, std::string file_name);

  // False at the end of the file. An unclosed quote is an error, and ends the file.
  Result<bool> next(Statement& statement);

 private:
  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line_end() const;
  void next_line();
  bool skip_blank_and_comment_lines(std::string* comment);
  // At a backslash: whether the line goes on in the next one; then it stands there.
  bool skip_continuation();
  proto::Position position(std::size_t at) const;

  std::string_view text_;
  std::string file_name_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
};

}  // namespace ingot::earthfile
