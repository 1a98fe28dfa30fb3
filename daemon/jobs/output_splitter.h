#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::jobs {

// One piece of output, as an event carries it.
struct OutputPiece {
  std::string text;
  bool binary = false;   // not valid UTF-8
  bool partial = false;  // the line goes on in the next piece
};

// Cuts a stream of bytes that arrive in any chunks into lines, and long lines into bounded pieces. What has come of a
// line is handed out at once, so that a prompt or a progress dot shows when it is written; only the bytes of a
// character that is not whole yet are held back.
class OutputSplitter {
 public:
  static constexpr std::size_t kMaxPiece = 16 << 10;

  std::vector<OutputPiece> add(std::string_view bytes);
  // The stream has ended: hands out what was held back, and ends an open line.
  std::vector<OutputPiece> finish();

 private:
  OutputPiece piece(std::string_view bytes, bool partial);
  std::string held_;        // the beginning of a UTF-8 character
  bool line_open_ = false;  // pieces of the current line were handed out as partial
};

}  // namespace ingot::jobs
