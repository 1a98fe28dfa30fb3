#include "daemon/base/strings.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace ingot::base {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    std::size_t end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

std::string_view trim(std::string_view text) {
  auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

bool starts_with_ci(std::string_view text, std::string_view prefix) {
  auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(), same);
}

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size());
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7f) || c == '\t') {
      safe += c;
    } else {
      safe += "\\x";
      safe += kHex[byte >> 4U];
      safe += kHex[byte & 15U];
    }
  }
  return safe;
}

std::string random_id(std::size_t length) {
  constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";  // 32: a byte's low 5 bits pick evenly
  static_assert(kAlphabet.size() == 32);
  std::string bytes(length, '\0');
  std::size_t filled = 0;
  while (filled < length) {
    ssize_t got = getrandom(bytes.data() + filled, length - filled, 0);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  for (char& c : bytes) c = kAlphabet[static_cast<unsigned char>(c) & 31U];
  return bytes;
}

}  // namespace ingot::base
