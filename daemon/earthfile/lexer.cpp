#include "daemon/earthfile/lexer.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::earthfile {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

}  // namespace

Lexer::Lexer(std::string_view text, std::string file_name) : text_(text), file_name_(std::move(file_name)) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

std::size_t Lexer::line_end() const {
  return std::min(text_.find('\n', at_), text_.size());
}

void Lexer::next_line() {
  at_ = std::min(line_end() + 1, text_.size());
  line_start_ = at_;
  ++line_;
}

proto::Position Lexer::position(std::size_t at) const {
  constexpr std::size_t kLongestShown = 200;
  proto::Position position{file_name_, line_, static_cast<int>(at - line_start_) + 1, ""};
  std::string_view line =
      text_.substr(line_start_, std::min(text_.find('\n', line_start_), text_.size()) - line_start_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  position.source_line = std::string(line.substr(0, kLongestShown));
  return position;
}

// Stands at the beginning of a line, and leaves lines that say nothing behind. A blank line forgets the comment.
bool Lexer::skip_blank_and_comment_lines(std::string* comment) {
  while (!at_end()) {
    const std::string_view line = base::trim(text_.substr(at_, line_end() - at_));
    if (line.empty()) {
      if (comment != nullptr) comment->clear();
    } else if (line.front() == '#') {
      if (comment != nullptr) *comment += std::string(base::trim(line.substr(1))) + "\n";
    } else {
      return true;
    }
    next_line();
  }
  return false;
}

bool Lexer::skip_continuation() {
  std::size_t after = at_ + 1;
  const std::size_t end = line_end();
  while (after < end && is_space(text_[after])) ++after;
  if (after < end && text_[after] != '#') return false;
  // A comment must be set off from the backslash; without a space it is an escaped "#".
  if (after < end && after == at_ + 1) return false;
  next_line();
  skip_blank_and_comment_lines(nullptr);
  return true;
}

Result<bool> Lexer::next(Statement& statement) {
  statement = Statement{};
  if (!skip_blank_and_comment_lines(&statement.comment)) return false;
  const std::size_t start = at_;
  while (is_space(text_[at_])) ++at_;
  statement.indent = at_ - start;

  bool in_word = false;
  char quote = '\0';
  proto::Position quote_position;
  std::string gap;  // white space since the last word: kept when another follows
  auto add = [&](char c) {
    if (!in_word) {
      statement.text += statement.words.empty() ? "" : gap;
      if (statement.words.size() == 1) statement.second = statement.text.size();
      if (statement.words.size() == 2) statement.third = statement.text.size();
      statement.words.push_back({"", position(at_)});
      gap.clear();
      in_word = true;
    }
    statement.words.back().text += c;
    statement.text += c;
  };
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '\\' && skip_continuation()) continue;
    if (c == '\\' && quote != '\'' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
      add(c);
      ++at_;
      add(text_[at_]);
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
      add(c);
      if (c == '\n') {
        next_line();
        continue;
      }
    } else if (c == '\n') {
      break;
    } else if (is_space(c)) {
      in_word = false;
      gap += c == '\r' ? "" : std::string(1, c);
    } else if (c == '#' && !in_word) {
      // To the end of its line; the statement goes on behind it only by a backslash before it.
      at_ = line_end();
      continue;
    } else {
      if (c == '"' || c == '\'') {
        quote = c;
        quote_position = position(at_);
      }
      add(c);
    }
    ++at_;
  }
  if (quote != '\0') {
    Error error;
    error.kind = ErrorKind::syntax;
    error.message = std::string("this quote is never closed: ") + quote;
    error.hint = "close it, or write \\" + std::string(1, quote) + " for the character itself";
    error.position = std::move(quote_position);
    return base::fail(std::move(error));
  }
  next_line();
  if (statement.words.size() < 2) statement.second = statement.text.size();
  if (statement.words.size() < 3) statement.third = statement.text.size();
  return true;
}

}  // namespace ingot::earthfile
