#include "daemon/jobs/output_splitter.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::jobs {

namespace {

constexpr std::size_t kLongestCharacter = 4;

// How many bytes at the end of `text` may be the beginning of a UTF-8 character: 0 to 3.
std::size_t unfinished_character(std::string_view text) {
  std::size_t valid = base::valid_utf8_prefix(text);
  std::size_t rest = text.size() - valid;
  if (rest == 0 || rest >= kLongestCharacter) return 0;
  auto byte = static_cast<unsigned char>(text[valid]);
  std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
  return length > rest ? rest : 0;
}

}  // namespace

OutputPiece OutputSplitter::piece(std::string_view bytes, bool partial) {
  line_open_ = partial;
  OutputPiece made{std::string(bytes), !base::is_valid_utf8(bytes), partial};
  if (!made.binary && !made.partial && made.text.ends_with('\r')) made.text.pop_back();
  return made;
}

std::vector<OutputPiece> OutputSplitter::add(std::string_view bytes) {
  std::string joined;
  if (!held_.empty()) {
    joined = held_ + std::string(bytes);
    held_.clear();
    bytes = joined;
  }
  std::vector<OutputPiece> pieces;
  while (!bytes.empty()) {
    std::size_t newline = bytes.find('\n');
    std::size_t length = std::min(newline, bytes.size());
    if (length > kMaxPiece) {
      // Cut a long line between characters, unless it is no text at all.
      std::size_t unfinished = unfinished_character(bytes.substr(0, kMaxPiece));
      pieces.push_back(piece(bytes.substr(0, kMaxPiece - unfinished), true));
      bytes.remove_prefix(kMaxPiece - unfinished);
      continue;
    }
    if (newline != std::string_view::npos) {
      pieces.push_back(piece(bytes.substr(0, length), false));
      bytes.remove_prefix(length + 1);
      continue;
    }
    std::size_t unfinished = unfinished_character(bytes);
    held_ = bytes.substr(bytes.size() - unfinished);
    bytes.remove_suffix(unfinished);
    if (!bytes.empty()) pieces.push_back(piece(bytes, true));
    break;
  }
  return pieces;
}

std::vector<OutputPiece> OutputSplitter::finish() {
  std::vector<OutputPiece> pieces;
  if (line_open_ || !held_.empty()) pieces.push_back(piece(held_, false));
  held_.clear();
  return pieces;
}

}  // namespace ingot::jobs
