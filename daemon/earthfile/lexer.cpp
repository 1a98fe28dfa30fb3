#include "daemon/earthfile/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/base/strings.h"

namespace ingot::earthfile {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

using Characters = std::array<bool, 256>;

constexpr Characters all_but(std::string_view special) {
  Characters characters{};
  for (bool& is_plain : characters) is_plain = true;
  for (const char c : special) characters[static_cast<unsigned char>(c)] = false;
  return characters;
}

// What is a part of its word and nothing else. White space and "#" are that within quotes and parentheses.
constexpr std::string_view kStructure = "\\\n\r'\"$()";
constexpr Characters kPlain = all_but("\\\n\r'\"$() \t#");
constexpr Characters kPlainWithin = all_but(kStructure);

}  // namespace

void Statement::clear() {
  words.clear();
  text.clear();
  indent = 0;
  comment.clear();
  begin = words_end = end = 0;
  kept_breaks.clear();
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

// At a backslash that ends its line, comments aside: goes to the first character of the next line that says something.
bool Lexer::skip_continuation() {
  std::size_t after = at_ + 1;
  while (after < text_.size() && is_space(text_[after])) ++after;
  const bool ends = after >= text_.size() || text_[after] == '\n';
  // Without a space between them it is an escaped "#".
  const bool comment = !ends && text_[after] == '#' && after > at_ + 1;
  if (!ends && !comment) return false;
  next_line();
  skip_blank_and_comment_lines(nullptr);
  while (!at_end() && is_space(peek())) ++at_;
  return true;
}

// Takes the characters that it stands at into a word, a new one if need be.
void Lexer::add(Statement& statement, std::size_t length) {
  if (!in_word_) {
    if (!statement.words.empty()) statement.text += gap_;
    gap_.clear();
    statement.words.push_back({"", {&source_, at_}, statement.text.size()});
    in_word_ = true;
  }
  const std::string_view taken = text_.substr(at_, length);
  statement.words.back().text += taken;
  statement.text += taken;
  at_ += length;
  statement.words_end = at_;
}

// How many characters from here on mean nothing but themselves: most of a file is read in such runs.
std::size_t Lexer::plain_length() const {
  const Characters& plain = open_.empty() ? kPlain : kPlainWithin;
  std::size_t end = at_;
  while (end < text_.size() && plain[static_cast<unsigned char>(text_[end])]) ++end;
  return end - at_;
}

void Lexer::take_backslash(Statement& statement) {
  if (skip_continuation()) return;
  const bool literal = !open_.empty() && open_.back().kind == '\'';
  behind_dollar_ = false;
  add(statement, 1);
  if (!literal && !at_end() && peek() != '\n') add(statement, 1);
}

// Keeps account of the quotes and parentheses that words do not end in.
void Lexer::take_structure(char c) {
  const char inside = open_.empty() ? '\0' : open_.back().kind;
  // A line that is continued in between does not part the two.
  const bool behind_dollar = std::exchange(behind_dollar_, c == '$' && inside != '\'');
  if (inside == '\'' && c != '\'') return;
  const bool quote = (c == '\'' && inside != '"') || c == '"';
  if (quote && inside == c) {
    open_.pop_back();
    --quotes_;
  } else if (quote) {
    open_.push_back({c, at_});
    ++quotes_;
  } else if (c == '(' && (inside == '(' || behind_dollar)) {
    open_.push_back({c, at_});
  } else if (c == ')' && inside == '(') {
    open_.pop_back();
  }
}

// A run of plain characters, one that is not, or a continuation or comment as a whole; false at the end of the
// statement.
bool Lexer::take(Statement& statement) {
  if (const std::size_t plain = plain_length(); plain > 0) {
    behind_dollar_ = false;
    add(statement, plain);
    return true;
  }
  const char c = peek();
  if (c == '\\') {
    take_backslash(statement);
  } else if (c == '\n' && quotes_ == 0) {
    return false;
  } else if (open_.empty() && is_space(c)) {
    in_word_ = false;
    behind_dollar_ = false;
    gap_ += c == '\r' ? ' ' : c;  // one within a line parts words as a space does
    ++at_;
  } else if (open_.empty() && c == '#' && !in_word_) {
    at_ = line_end();
  } else if (c == '\r' && peek(1) == '\n') {
    ++at_;  // a quoted line break of a CRLF file is one of any other
  } else {
    if (c == '\n') statement.kept_breaks.push_back(at_);
    take_structure(c);
    add(statement, 1);
  }
  return true;
}

tl::unexpected<Error> Lexer::unclosed_quote() {
  auto first = std::find_if(open_.begin(), open_.end(), [](const auto& opening) { return opening.kind != '('; });
  Error error;
  error.kind = ErrorKind::syntax;
  error.message = std::string("this quote is never closed: ") + first->kind;
  error.hint = "close it, or write \\" + std::string(1, first->kind) + " for the character itself";
  error.position = source_.position(first->at);
  at_ = first->at;
  next_line();
  return base::fail(std::move(error));
}

Result<bool> Lexer::next(Statement& statement) {
  statement.clear();
  open_.clear();
  quotes_ = 0;
  gap_.clear();
  in_word_ = false;
  behind_dollar_ = false;
  if (!skip_blank_and_comment_lines(&statement.comment)) return false;
  const std::size_t start = at_;
  while (is_space(peek())) ++at_;
  statement.indent = at_ - start;
  statement.begin = at_;
  while (!at_end() && take(statement)) continue;
  if (quotes_ > 0) return unclosed_quote();
  statement.end = at_;
  if (!at_end()) next_line();
  return !statement.words.empty();  // a continuation that nothing follows says nothing
}

}  // namespace ingot::earthfile
