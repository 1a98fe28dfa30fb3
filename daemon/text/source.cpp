#include "daemon/text/source.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::text {

namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

// One character for one character, so that columns stay true.
std::string showable(std::string_view line) {
  std::string shown(line);
  const bool valid = base::is_valid_utf8(line);
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F || (byte >= 0x80 && !valid)) c = '?';
  }
  return shown;
}

}  // namespace

Source::Source(std::string_view text, std::string name) : name_(std::move(name)) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text_ = std::string(text);
  line_starts_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

int Source::line_of(std::size_t offset) const {
  return static_cast<int>(std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - line_starts_.begin());
}

proto::Position Source::position(std::size_t offset) const {
  constexpr std::size_t kLongestShown = 400;
  offset = std::min(offset, text_.size());
  proto::Position position;
  position.file = name_;
  position.line = line_of(offset);
  const std::size_t start = line_starts_[static_cast<std::size_t>(position.line) - 1];
  std::string_view line = std::string_view(text_).substr(start, text_.find('\n', start) - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view before = std::string_view(text_).substr(start, offset - start);
  position.column = static_cast<int>(std::count_if(before.begin(), before.end(), begins_character)) + 1;
  if (before.size() < kLongestShown) {
    std::string_view head = line.substr(0, kLongestShown);
    if (head.size() < line.size()) head = head.substr(0, base::valid_utf8_prefix(head));
    position.source_line = showable(head);
  }
  return position;
}

}  // namespace ingot::text
