#include "client/render/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <cwchar>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

// The width of a character, whatever locale the caller's environment names: what we print is UTF-8.
int cells_of(const char* bytes, std::size_t size) {
  static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUtf8 == nullptr) return 1;
  const locale_t before = uselocale(kUtf8);
  std::mbstate_t state{};
  wchar_t wide = 0;
  const bool whole = std::mbrtowc(&wide, bytes, size, &state) == size;
  const int width = whole ? wcwidth(wide) : 1;
  uselocale(before);
  return width;
}

// The first character of valid UTF-8: its bytes and its cells.
struct Character {
  std::size_t bytes = 1;
  std::size_t cells = 1;
};

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {};
  Character character;
  character.bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  character.bytes = std::min(character.bytes, text.size());
  const int width = cells_of(text.data(), character.bytes);
  if (width >= 0) character.cells = static_cast<std::size_t>(width);
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
  if (cells == 0) return {};
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

std::string human_time(std::int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  const std::time_t seconds = unix_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

std::string log_prefix(const std::string& target) {
  return fmt::format("{:>20} | ", visible(target));
}

std::string shown_platforms(const std::vector<std::string>& platforms) {
  return platforms.empty() ? "" : " (" + visible(base::join(platforms, ", ")) + ")";
}

}  // namespace ingot::client
