#include "daemon/dockerfile/words.h"

#include <cctype>

namespace ingot::dockerfile {

bool begins_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

std::size_t end_of_word(std::string_view text, char escape, std::size_t at) {
  char quote = '\0';
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == escape && quote != '\'') {
      if (at + 1 < text.size()) ++at;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (is_blank(c)) {
      break;
    }
  }
  return at;
}

std::vector<Range> cut_words(std::string_view text, char escape, std::size_t at) {
  std::vector<Range> words;
  while (true) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) return words;
    const std::size_t end = end_of_word(text, escape, at);
    words.push_back({at, end});
    at = end;
  }
}

}  // namespace ingot::dockerfile
