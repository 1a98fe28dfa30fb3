#include "client/render/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cwchar>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

// The first character of valid UTF-8: its bytes and its cells.
struct Character {
  std::size_t bytes = 1;
  std::size_t cells = 1;
};

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  Character character;
  character.bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  character.bytes = std::min(character.bytes, text.size());
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t used = std::mbrtowc(&wide, text.data(), character.bytes, &state);
  if (used == character.bytes) {
    const int width = wcwidth(wide);
    if (width >= 0) character.cells = static_cast<std::size_t>(width);
  }
  return character;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += character.cells;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t cells) {
  if (display_width(text) <= cells) return std::string(text);
  std::string cut;
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (width + character.cells + 1 > cells) break;
    width += character.cells;
    cut += text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  return cut + "…";
}

std::string clean_output(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (std::size_t redrawn = line.rfind('\r'); redrawn != std::string_view::npos) line.remove_prefix(redrawn + 1);
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\033') {
      text += line[i];
      continue;
    }
    // ESC [ ... letter; any other sequence is ESC and one character.
    if (i + 1 < line.size() && line[i + 1] == '[') {
      i += 2;
      while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
    } else {
      ++i;
    }
  }
  return base::printable(text);
}

std::string human_time(std::int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  const std::time_t seconds = unix_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

std::string log_prefix(const std::string& target) {
  return fmt::format("{:>20} | ", target);
}

}  // namespace ingot::client
