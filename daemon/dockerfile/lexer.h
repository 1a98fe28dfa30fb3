#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/dockerfile/ast.h"

namespace ingot::dockerfile {

// One instruction: continued lines joined, comments gone, and the heredocs that follow it.
class Line {
 public:
  explicit Line(const Source& source) : source_(&source) {}

  const std::string& text() const { return text_; }
  Place place_of(std::size_t offset) const;

  std::vector<Heredoc> heredocs;

 private:
  friend class Lexer;
  void add(std::string_view text, std::size_t offset);

  const Source* source_;
  std::string text_;
  // Where parts of the text stand in the source: offset here, offset there.
  std::vector<std::pair<std::size_t, std::size_t>> parts_;
};

// Cuts a file into instructions, in time linear in its length. The source must outlive the lines.
class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source), text_(source.text()) {}

  // The comments of the form "# name=value" at the very top; to be called first.
  Status directives();
  // What continues a line, and takes its meaning from the next character: a backslash, unless a directive says "`".
  char escape() const { return escape_; }
  // False at the end of the file. After an error the next call goes on behind the line at fault.
  Result<bool> next(Line& line);

 private:
  std::string_view take_line(std::size_t& begin);
  bool goes_on(std::string_view& text) const;
  Status take_heredocs(Line& line);
  Status take_heredoc(Heredoc& heredoc);

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  char escape_ = '\\';
};

}  // namespace ingot::dockerfile
