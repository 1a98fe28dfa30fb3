#include "client/render/live_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/render/text.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

constexpr std::size_t kNarrowest = 20;
constexpr std::size_t kLowest = 3;

}  // namespace

std::string justified(const std::string& text, const std::string& right, std::size_t columns) {
  const std::size_t taken = display_width(right) + 2;
  const std::size_t room = columns > taken ? columns - taken : 0;
  const std::string left = cut_to_width(text, room);
  const std::size_t width = display_width(left);
  return left + std::string(room > width ? room - width : 0, ' ') + "  " + right;
}

std::vector<std::string> live_block(const std::vector<RunningStep>& running, TerminalSize size,
                                    std::chrono::steady_clock::time_point now) {
  const std::size_t columns = std::max(size.columns, kNarrowest) - 1;
  const std::size_t rows = std::max(size.rows, kLowest) - 1;
  const bool all = running.size() <= rows;
  const std::size_t shown = all ? running.size() : rows - 1;  // the rest is one line
  const std::size_t each = shown == 0 || !all ? 0 : std::min((rows - shown) / shown, RunningStep::kLines);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown; ++i) {
    const RunningStep& step = running[i];
    const std::string time = base::human_duration(std::chrono::duration<double>(now - step.started).count());
    lines.push_back(justified(step.target + " " + step.text, time, columns));
    const std::size_t skip = step.last.size() - std::min(step.last.size(), each);
    for (std::size_t k = skip; k < step.last.size(); ++k) lines.push_back(cut_to_width("  " + step.last[k], columns));
  }
  if (shown < running.size()) lines.push_back(fmt::format("and {} more", running.size() - shown));
  return lines;
}

std::size_t rows_of(const std::vector<std::size_t>& widths, std::size_t columns) {
  std::size_t rows = 0;
  const std::size_t wide = std::max<std::size_t>(columns, 1);
  for (std::size_t width : widths) rows += width == 0 ? 1 : (width + wide - 1) / wide;
  return rows;
}

}  // namespace ingot::client
