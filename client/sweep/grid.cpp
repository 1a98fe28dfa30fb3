#include "client/sweep/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "client/sweep/summary.h"
#include "client/sweep/table.h"

namespace ingot::client {

namespace {

using proto::JobState;

// What is written of a cell, and how wide a column is for it.
constexpr std::size_t kLeast = 3;

std::string mark_of(const proto::SweepCell& cell, const Style& style) {
  switch (cell.state) {
    case JobState::succeeded:
      return was_cached(cell) ? style.green("=") : style.green("+");
    case JobState::failed:
      return style.red("X");
    case JobState::running:
      return style.bold(">");
    case JobState::canceled:
      return style.yellow("-");
    case JobState::queued:
      return ".";
  }
  return "?";
}

std::string padded(const std::string& text, std::size_t width) {
  const std::string cut = cut_to_width(visible(text), width);
  return cut + std::string(width - std::min(width, display_width(cut)), ' ');
}

std::vector<std::string> full(const SweepTable& table, const Style& style, std::size_t first,
                              const std::vector<std::size_t>& widths) {
  std::vector<std::string> lines;
  std::string head(first, ' ');
  for (std::size_t i = 0; i < table.across.size(); ++i) head += "  " + padded(table.across[i], widths[i]);
  lines.push_back(style.dim(head));
  for (const auto& down : table.down) {
    std::string line = padded(down, first);
    for (std::size_t i = 0; i < table.across.size(); ++i) {
      const auto cell = table.cells.find({down, table.across[i]});
      line +=
          "  " + (cell == table.cells.end() ? " " : mark_of(*cell->second, style)) + std::string(widths[i] - 1, ' ');
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// A line for each column of the table, in which every cell is one sign as long as these fit.
std::vector<std::string> compact(const SweepTable& table, const Style& style, std::size_t rows, std::size_t columns) {
  std::vector<std::string> lines;
  std::size_t first = kLeast;
  for (const auto& across : table.across) first = std::max(first, std::min(columns / 3, display_width(across)));
  for (const auto& across : table.across) {
    std::string marks;
    std::map<JobState, std::size_t> counts;
    std::size_t cells = 0;
    for (const auto& down : table.down) {
      const auto cell = table.cells.find({down, across});
      if (cell == table.cells.end()) continue;
      ++cells;
      ++counts[cell->second->state];
      marks += mark_of(*cell->second, style);
    }
    if (first + 2 + cells > columns) {
      marks = fmt::format("{} of {} done", cells - counts[JobState::queued] - counts[JobState::running], cells);
      if (counts[JobState::failed] > 0) marks += style.red(fmt::format(", {} failed", counts[JobState::failed]));
    }
    lines.push_back(padded(across, first) + "  " + marks);
  }
  if (lines.size() > rows) {
    const std::size_t hidden = lines.size() - rows + 1;
    lines.resize(rows - 1);
    lines.push_back(style.dim(fmt::format("and {} more", hidden)));
  }
  return lines;
}

}  // namespace

std::vector<std::string> draw_grid(const proto::Sweep& sweep, const Style& style, std::size_t rows,
                                   std::size_t columns) {
  const SweepTable table = table_of(sweep);
  std::size_t first = kLeast;
  for (const auto& down : table.down) first = std::max(first, display_width(visible(down)));
  std::size_t width = first;
  std::vector<std::size_t> widths;
  for (const auto& across : table.across) {
    widths.push_back(std::max(kLeast, display_width(visible(across))));
    width += 2 + widths.back();
  }
  if (table.down.size() + 1 <= rows && width <= columns) return full(table, style, first, widths);
  return compact(table, style, std::max<std::size_t>(rows, 2), columns);
}

std::string draw_counts(const proto::Sweep& sweep) {
  const auto count = [&](JobState state) {
    const auto found = sweep.counts.find(proto::name_of(state));
    return found == sweep.counts.end() ? 0 : found->second;
  };
  std::uint64_t all = 0;
  for (const auto& [state, number] : sweep.counts) all += number;
  const std::uint64_t open = count(JobState::queued) + count(JobState::running);
  std::string text = fmt::format("{} of {} done", all - open, all);
  if (count(JobState::failed) > 0) text += fmt::format(", {} failed", count(JobState::failed));
  if (count(JobState::canceled) > 0) text += fmt::format(", {} canceled", count(JobState::canceled));
  if (count(JobState::running) > 0) text += fmt::format(", {} running", count(JobState::running));
  return text;
}

}  // namespace ingot::client
