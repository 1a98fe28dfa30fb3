#pragma once

#include <algorithm>
#include <string_view>

// Characters of the C locale, whatever the locale of this process is.
namespace ingot::shell {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alphanumeric(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}
constexpr bool is_name_start(char c) {
  return is_lower(c) || is_upper(c) || c == '_';
}
constexpr bool is_name(char c) {
  return is_name_start(c) || is_digit(c);
}
constexpr bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}
constexpr bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}
// What IFS has where nobody sets it.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

inline bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace ingot::shell
