#include "daemon/earthfile/parentheses.h"

#include <optional>
#include <utility>

#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

namespace {

// "(+target" and "--load=name=(+target", and no "$(command": where the parenthesis opens, if it does.
std::optional<std::size_t> opening(const std::string& word) {
  const std::size_t at = word.find("(+");
  if (word.starts_with('(')) return 0;
  return at != std::string::npos && at > 0 && word[at - 1] == '=' ? std::optional(at) : std::nullopt;
}

// Goes through a text and knows what is open: quotes, parentheses, and both within each other as in "$(x ")")".
class Reader {
 public:
  // Whether anything is open behind the next character.
  bool is_open_behind(char c) {
    const char inside = open_.empty() ? '\0' : open_.back();
    const bool is_escaped = std::exchange(is_escaped_, false);
    const bool behind_dollar = std::exchange(behind_dollar_, false);
    if (is_escaped) return !open_.empty();
    if (inside == '\'') {
      if (c == '\'') open_.pop_back();
      return !open_.empty();
    }
    is_escaped_ = c == '\\';
    behind_dollar_ = c == '$';
    const bool closes = (c == '"' && inside == '"') || (c == ')' && inside == '(');
    if (closes) {
      open_.pop_back();
    } else if (c == '"' || (c == '\'' && inside != '"') || (c == '(' && (inside != '"' || behind_dollar))) {
      open_.push_back(c);
    }
    return !open_.empty();
  }

 private:
  std::string open_;
  bool is_escaped_ = false;
  bool behind_dollar_ = false;
};

// Where a word ends: at white space that stands neither in quotes nor in $(...).
std::size_t end_of_word(const std::string& text, std::size_t at) {
  for (Reader reader; at < text.size(); ++at) {
    const bool is_open = reader.is_open_behind(text[at]);
    if (!is_open && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n')) break;
  }
  return at;
}

// The parenthesis that closes the one at `at`.
std::optional<std::size_t> closing(const std::string& text, std::size_t at) {
  for (Reader reader; at < text.size(); ++at) {
    const bool is_open = reader.is_open_behind(text[at]);
    if (!is_open && text[at] == ')') return at;
  }
  return std::nullopt;
}

}  // namespace

// The words as they are meant: "(+t/x --K=v)" is one.
Result<std::vector<Word>> with_parentheses_joined(const Command& command, const std::vector<Word>& words) {
  constexpr const char* kForm = "(+target/path --NAME=value)";
  std::vector<Word> joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    Word word = words[i];
    if (const auto opens = opening(word.text)) {
      const auto closes = closing(command.arguments, word.begin + *opens);
      if (!closes) return fail_at(word.place, ErrorKind::syntax, "this parenthesis is not closed", kForm);
      while (i + 1 < words.size() && words[i + 1].begin <= *closes) ++i;
      if (words[i].begin + words[i].text.size() != *closes + 1) {
        return fail_at(words[i].place, ErrorKind::syntax, "the parenthesis is closed in the midst of this word", kForm);
      }
      word.text = command.arguments.substr(word.begin, *closes + 1 - word.begin);
    }
    joined.push_back(std::move(word));
  }
  return joined;
}

// The words inside of parentheses; a word without them is alone.
std::vector<Word> words_inside(const Word& word) {
  if (!word.text.starts_with('(')) return {word};
  const std::string inside = word.text.substr(0, word.text.size() - 1);
  std::vector<Word> words;
  std::size_t at = 1;
  while (at < inside.size()) {
    const std::size_t end = end_of_word(inside, at);
    if (end > at) words.push_back({inside.substr(at, end - at), word.place.plus(at), word.begin + at});
    at = end + 1;
  }
  return words;
}

}  // namespace ingot::earthfile
