#include "daemon/api/byte_range.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace ingot::api {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ByteRange parse_range(const std::string& header, std::uint64_t total) {
  constexpr std::string_view kUnit = "bytes=";
  const ByteRange whole{ByteRange::Kind::whole, 0, total};
  std::string_view text = header;
  if (!text.starts_with(kUnit)) return whole;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return whole;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first && dash == 0 && last) {
    if (*last == 0) return {ByteRange::Kind::unsatisfiable, 0, 0};
    const std::uint64_t size = std::min(*last, total);
    return {ByteRange::Kind::part, total - size, size};
  }
  const bool open_end = dash + 1 == text.size();
  if (!first || (!last && !open_end) || (last && *last < *first)) return whole;
  if (*first >= total) return {ByteRange::Kind::unsatisfiable, 0, 0};
  const std::uint64_t end = last ? std::min(*last, total - 1) : total - 1;
  return {ByteRange::Kind::part, *first, end - *first + 1};
}

}  // namespace ingot::api
