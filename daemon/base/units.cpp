#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

// The number at the start of `text`, which it is cut from.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  auto bad = [&] {
    return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a size", text),
                "write 512M, 1.5GiB or a number of bytes");
  };
  std::string_view rest = trim(text);
  auto number = take_number(rest);
  if (!number) return bad();
  rest = trim(rest);
  double factor = 1;
  if (!rest.empty()) {
    constexpr std::string_view kLetters = "BKMGTP";
    auto power = kLetters.find(static_cast<char>(std::toupper(static_cast<unsigned char>(rest.front()))));
    std::string_view suffix = rest.substr(1);
    bool known_suffix = suffix.empty() || (power != 0 && (suffix == "B" || suffix == "b" || suffix == "iB"));
    if (power == std::string_view::npos || !known_suffix) return bad();
    factor = std::pow(1024.0, static_cast<double>(power));
  }
  double bytes = *number * factor;
  if (bytes >= 9.2e18) return bad();
  return static_cast<std::uint64_t>(bytes);
}

std::string human_duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

Result<double> parse_duration(std::string_view text) {
  auto bad = [&] {
    return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a duration", text), "write 90s, 15m, 1h30m or 500ms");
  };
  std::string_view rest = trim(text);
  if (rest.empty()) return bad();
  double total = 0;
  while (!rest.empty()) {
    auto number = take_number(rest);
    if (!number) return bad();
    std::size_t letters = rest.find_first_of("0123456789.");
    std::string_view unit = rest.substr(0, letters);
    double factor = unit == "ms" ? 0.001 : unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (unit == "d") factor = 86400;
    if (factor == 0) return bad();
    total += *number * factor;
    rest.remove_prefix(unit.size());
  }
  return total;
}

}  // namespace ingot::base
