#include "client/sweep/summary.h"

#include <algorithm>
#include <map>

namespace ingot::client {

namespace {

using proto::JobState;
using CellsByName = std::map<std::string, const proto::SweepCell*>;

constexpr std::size_t kSlowest = 5;

// Errors that differ in a number, a digest or a cell's own value are one.
std::string kind_of(const std::string& message, const proto::SweepCell& cell) {
  std::string text = message;
  for (const auto& [name, value] : cell.values) {
    for (std::size_t at = text.find(value); !value.empty() && at != std::string::npos; at = text.find(value, at + 1)) {
      text.replace(at, value.size(), "*");
    }
  }
  std::string plain;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit) plain += c;
    if (is_digit && (plain.empty() || plain.back() != '#')) plain += '#';
  }
  return plain;
}

std::string message_of(const proto::SweepCell& cell) {
  if (!cell.error) return "it failed, and nobody said why";
  if (!cell.error->position) return cell.error->message;
  return cell.error->position->file + ":" + std::to_string(cell.error->position->line) + ": " + cell.error->message;
}

CellsByName by_name(const proto::Sweep& sweep) {
  CellsByName cells;
  for (const auto& cell : sweep.cells) cells[shown_name(cell)] = &cell;
  return cells;
}

void compare(const proto::Sweep& sweep, const proto::Sweep& before, SweepSummary& summary) {
  const CellsByName now = by_name(sweep);
  const CellsByName then = by_name(before);
  for (const auto& [name, cell] : now) {
    const auto earlier = then.find(name);
    if (earlier == then.end()) {
      summary.added.push_back(name);
      continue;
    }
    const bool failed_before = earlier->second->state == JobState::failed;
    if (cell->state == JobState::failed && earlier->second->state == JobState::succeeded) {
      summary.newly_failing.push_back(cell);
    }
    if (cell->state == JobState::succeeded && failed_before) summary.mended.push_back(cell);
    const std::uint64_t size = earlier->second->bytes;
    if (size > 0 && cell->bytes > size + size / 10) summary.grown.push_back({cell, size});
  }
  for (const auto& [name, cell] : then) {
    if (!now.contains(name)) summary.removed.push_back(name);
  }
}

}  // namespace

std::string shown_name(const proto::SweepCell& cell) {
  return cell.number == 0 ? "the base" : cell.name;
}

bool was_cached(const proto::SweepCell& cell) {
  return cell.state == JobState::succeeded && cell.executed == 0;
}

SweepSummary summarize(const proto::Sweep& sweep, const proto::Sweep* before) {
  SweepSummary summary;
  std::map<std::string, SweepSummary::Failure> failures;
  for (const auto& cell : sweep.cells) {
    summary.seconds += cell.seconds;
    summary.bytes += cell.bytes;
    if (cell.state == JobState::failed) {
      auto& failure = failures[kind_of(message_of(cell), cell)];
      if (failure.cells.empty()) failure.message = message_of(cell);
      failure.cells.push_back(&cell);
    }
    if (cell.seconds > 0) summary.slowest.push_back(&cell);
    if (cell.number == 0) continue;
    if (cell.state == JobState::succeeded) ++summary.green;
    if (was_cached(cell)) ++summary.cached;
    if (cell.state == JobState::failed) ++summary.red;
    if (cell.state == JobState::canceled) ++summary.canceled;
    if (!proto::is_final(cell.state)) ++summary.open;
  }
  for (auto& [kind, failure] : failures) summary.failures.push_back(std::move(failure));
  std::stable_sort(summary.failures.begin(), summary.failures.end(),
                   [](const auto& a, const auto& b) { return a.cells.size() > b.cells.size(); });
  std::stable_sort(summary.slowest.begin(), summary.slowest.end(),
                   [](const auto* a, const auto* b) { return a->seconds > b->seconds; });
  if (summary.slowest.size() > kSlowest) summary.slowest.resize(kSlowest);
  if (before != nullptr) compare(sweep, *before, summary);
  return summary;
}

double seconds_left(const proto::Sweep& sweep, std::int64_t now_ms) {
  std::size_t done = 0;
  std::size_t open = 0;
  for (const auto& cell : sweep.cells) (proto::is_final(cell.state) ? done : open)++;
  if (open == 0) return 0;
  if (done == 0) return -1;
  const double passed = static_cast<double>(now_ms - sweep.created_ms) / 1000;
  return passed / static_cast<double>(done) * static_cast<double>(open);
}

}  // namespace ingot::client
