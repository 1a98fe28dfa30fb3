#include <fmt/format.h>

#include "client/render/text.h"
#include "daemon/base/strings.h"

// What programs print, made harmless.
namespace ingot::client {

namespace {

constexpr char kEscape = '\033';
constexpr char kBell = '\a';

bool between(char c, char low, char high) {
  return c >= low && c <= high;
}

// Where a sequence that starts with the ESC at `at` ends: the index behind it.
std::size_t behind_escape(std::string_view line, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= line.size()) return i;
  const char kind = line[i++];
  if (kind == '[') {
    while (i < line.size() && between(line[i], ' ', '?')) ++i;
    return i < line.size() && between(line[i], '@', '~') ? i + 1 : i;
  }
  // Window titles and the like: text up to BEL or ESC backslash.
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    while (i < line.size() && line[i] != kBell && line[i] != kEscape) ++i;
    if (i < line.size() && line[i] == kEscape && i + 1 < line.size() && line[i + 1] == '\\') ++i;
    return std::min(i + 1, line.size());
  }
  if (between(kind, ' ', '/')) {
    while (i < line.size() && between(line[i], ' ', '/')) ++i;
    return std::min(i + 1, line.size());
  }
  return i;
}

std::string without_escapes(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == kEscape)
      i = behind_escape(line, i);
    else
      text += line[i++];
  }
  return text;
}

// A run of valid UTF-8. U+0080 to U+009F, which are C2 80 to C2 9F, are control characters too.
void append_valid(std::string& shown, std::string_view run, bool keep_newlines) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    const auto byte = static_cast<unsigned char>(run[i]);
    const bool second_set = byte == 0xc2 && i + 1 < run.size() && static_cast<unsigned char>(run[i + 1]) < 0xa0;
    if (second_set) {
      shown += fmt::format("\\xc2\\x{:02x}", static_cast<unsigned char>(run[++i]));
    } else if ((byte < 0x20 && byte != '\t' && !(byte == '\n' && keep_newlines)) || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += run[i];
    }
  }
}

std::string make_visible(std::string_view text, bool keep_newlines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t valid = base::valid_utf8_prefix(text);
    append_valid(shown, text.substr(0, valid), keep_newlines);
    text.remove_prefix(valid);
    if (text.empty()) break;
    shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
  }
  return shown;
}

}  // namespace

std::string visible(std::string_view text) {
  return make_visible(text, false);
}

std::string visible_lines(std::string_view text) {
  return make_visible(text, true);
}

std::string clean_output(std::string_view line) {
  const std::string plain = without_escapes(line);
  std::string_view state = plain;
  while (state.ends_with('\r')) state.remove_suffix(1);
  if (std::size_t redrawn = state.rfind('\r'); redrawn != std::string_view::npos) state.remove_prefix(redrawn + 1);
  return make_visible(state, false);
}

}  // namespace ingot::client
