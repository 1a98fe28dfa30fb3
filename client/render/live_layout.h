#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace ingot::client {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

struct RunningStep {
  std::string id;
  std::string target;
  std::string text;  // one line
  std::chrono::steady_clock::time_point started;
  std::deque<std::string> last;  // the newest lines of its output

  static constexpr std::size_t kLines = 4;  // kept of `last`
};

// The block below what has scrolled by: each running step with its time, and as many of its last lines (indented by
// two) as there is room for. Never taller than the terminal less the cursor's row, never wider than it less one
// column: a full line would wrap.
std::vector<std::string> live_block(const std::vector<RunningStep>& running, TerminalSize size,
                                    std::chrono::steady_clock::time_point now);

// `text` on the left and `right` on the right of `columns`; the text is cut where both do not fit.
std::string justified(const std::string& text, const std::string& right, std::size_t columns);

// The rows that lines of these widths take after the terminal was made `columns` wide and wrapped them anew.
std::size_t rows_of(const std::vector<std::size_t>& widths, std::size_t columns);

}  // namespace ingot::client
