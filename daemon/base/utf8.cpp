#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

// Length of the UTF-8 character at the start of `text`: 0 when it is invalid, and `cut` is set when it is
// only not complete yet. Overlong forms, surrogates and what lies beyond U+10FFFF are invalid.
std::size_t utf8_character(std::string_view text, bool& cut) {
  cut = false;
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size()) {
      cut = true;
      return 0;
    }
    unsigned char lowest = 0x80;
    unsigned char highest = 0xbf;
    if (i == 1 && first == 0xe0) lowest = 0xa0;
    if (i == 1 && first == 0xed) highest = 0x9f;
    if (i == 1 && first == 0xf0) lowest = 0x90;
    if (i == 1 && first == 0xf4) highest = 0x8f;
    if (at(i) < lowest || at(i) > highest) return 0;
  }
  return length;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  bool cut = false;
  while (!text.empty()) {
    std::size_t length = utf8_character(text, cut);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t valid = 0;
  bool cut = false;
  while (valid < text.size()) {
    std::size_t length = utf8_character(text.substr(valid), cut);
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

}  // namespace ingot::base
