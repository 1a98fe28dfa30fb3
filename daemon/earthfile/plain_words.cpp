#include "daemon/earthfile/plain_words.h"

#include <cctype>

namespace ingot::earthfile {

namespace {

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

bool is_plain(char c) {
  return in_name(c) || is_blank(c) || std::string_view("./:,+@%-").find(c) != std::string_view::npos;
}

// At a "$": the variable's value, and `at` behind it; none for any other form than $NAME and ${NAME}.
std::optional<std::string> take_variable(const std::string& words, std::size_t& at, const Lookup::Variable& variable) {
  const bool braced = at + 1 < words.size() && words[at + 1] == '{';
  const std::size_t begin = at + (braced ? 2 : 1);
  std::size_t end = begin;
  while (end < words.size() && in_name(words[end])) ++end;
  if (end == begin || std::isdigit(static_cast<unsigned char>(words[begin])) != 0) return std::nullopt;
  if (braced && (end == words.size() || words[end] != '}')) return std::nullopt;
  at = end + (braced ? 1 : 0);
  // One that is not set may be one that a shell sets by itself.
  return variable(words.substr(begin, end - begin));
}

}  // namespace

std::optional<std::string> plain_words(const std::string& words, const Lookup::Variable& variable) {
  std::string expanded;
  for (std::size_t at = 0; at < words.size();) {
    if (words[at] != '$') {
      expanded += words[at++];
      continue;
    }
    const auto value = take_variable(words, at, variable);
    if (!value) return std::nullopt;
    expanded += *value;
  }
  std::string printed;
  for (const char c : expanded) {
    if (!is_plain(c)) return std::nullopt;
    if (!is_blank(c))
      printed += c;
    else if (!printed.empty() && printed.back() != ' ')
      printed += ' ';
  }
  if (printed.starts_with('-')) return std::nullopt;  // an option of echo
  return printed;
}

std::vector<std::string> split_at_any(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace ingot::earthfile
