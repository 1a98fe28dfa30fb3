#include "client/sweep/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/render/text.h"
#include "client/sweep/page_text.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using proto::JobState;
using Cells = std::vector<const proto::SweepCell*>;

constexpr std::size_t kMostNamed = 8;

// In a table's cell a bar would end it.
std::string md(const std::string& text) {
  std::string out;
  for (const char c : visible(text)) {
    if (std::string_view("|<>*_`[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string names(const Cells& cells) {
  std::vector<std::string> some;
  for (const auto* cell : cells) {
    if (some.size() == kMostNamed) {
      some.push_back(fmt::format("{} more", cells.size() - kMostNamed));
      break;
    }
    some.push_back(visible(shown_name(*cell)));
  }
  return base::join(some, ", ");
}

std::string verdict(const proto::Sweep& sweep, const SweepSummary& summary) {
  std::string text = fmt::format("{} green", summary.green);
  if (summary.cached > 0) text += fmt::format(" ({} of them were there already)", summary.cached);
  if (summary.red > 0) text += fmt::format(", {} red", summary.red);
  if (summary.canceled > 0) text += fmt::format(", {} canceled", summary.canceled);
  if (summary.open > 0) text += fmt::format(", {} to go", summary.open);
  if (sweep.finished_ms != 0) {
    text += ", in " + base::human_duration(static_cast<double>(sweep.finished_ms - sweep.created_ms) / 1000);
  }
  return text;
}

std::string share(std::uint64_t before, std::uint64_t now) {
  return fmt::format("{} -> {} (+{} %)", base::human_bytes(before), base::human_bytes(now),
                     (now - before) * 100 / before);
}

// What is otherwise than before, each as (title, what).
std::vector<std::pair<std::string, std::string>> changes(const SweepSummary& summary) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto listed = [](std::vector<std::string> list) {
    if (list.size() > kMostNamed) {
      const auto more = list.size() - kMostNamed;
      list.resize(kMostNamed);
      list.push_back(fmt::format("{} more", more));
    }
    return visible(base::join(list, ", "));
  };
  if (!summary.newly_failing.empty()) all.emplace_back("fails now", names(summary.newly_failing));
  if (!summary.mended.empty()) all.emplace_back("works again", names(summary.mended));
  if (!summary.added.empty()) all.emplace_back("new", listed(summary.added));
  if (!summary.removed.empty()) all.emplace_back("gone", listed(summary.removed));
  for (const auto& growth : summary.grown) {
    if (all.size() > 3 * kMostNamed) break;
    all.emplace_back("larger", visible(shown_name(*growth.cell)) + ": " + share(growth.before, growth.cell->bytes));
  }
  return all;
}

}  // namespace

std::string junit_report(const proto::Sweep& sweep) {
  const auto summary = summarize(sweep, nullptr);
  const std::string counts = fmt::format(
      "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"", sweep.cells.size(),
      std::count_if(sweep.cells.begin(), sweep.cells.end(),
                    [](const auto& cell) { return cell.state == JobState::failed; }),
      std::count_if(
          sweep.cells.begin(), sweep.cells.end(),
          [](const auto& cell) { return cell.state != JobState::failed && cell.state != JobState::succeeded; }),
      summary.seconds);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites {}>\n  <testsuite name=\"{}\" {}>\n", counts, escape_markup(sweep.name), counts);
  for (const auto& cell : sweep.cells) {
    out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                       escape_markup(sweep.name + "." + cell.target), escape_markup(shown_name(cell)), cell.seconds);
    if (cell.state == JobState::succeeded) {
      out += "/>\n";
      continue;
    }
    out += ">\n";
    const std::string message = cell.error ? cell.error->message : proto::name_of(cell.state);
    if (cell.state == JobState::failed) {
      out +=
          fmt::format("      <failure message=\"{}\">{}</failure>\n", escape_markup(message),
                      escape_markup(message + (cell.error && !cell.error->hint.empty() ? "\n" + cell.error->hint : "") +
                                    "\nlog: ingot logs " + cell.job));
    } else {
      out += fmt::format("      <skipped message=\"{}\"/>\n", escape_markup(message));
    }
    out += "    </testcase>\n";
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

std::string markdown_report(const proto::Sweep& sweep, const proto::Sweep* before) {
  const auto summary = summarize(sweep, before);
  std::string out =
      fmt::format("## Sweep {} {}\n\n{}\n", md(sweep.name), proto::name_of(sweep.state), verdict(sweep, summary));
  if (!sweep.reason.empty()) out += "\n" + md(sweep.reason) + "\n";
  if (!summary.failures.empty()) {
    out += "\n| cells | error |\n|---|---|\n";
    for (const auto& failure : summary.failures) {
      out += fmt::format("| {}: {} | {} |\n", failure.cells.size(), md(names(failure.cells)), md(failure.message));
    }
  }
  if (const auto list = changes(summary); !list.empty()) {
    out += "\n| since the last | |\n|---|---|\n";
    for (const auto& [title, what] : list) out += fmt::format("| {} | {} |\n", title, md(what));
  }
  out += "\n<details><summary>All cells</summary>\n\n| cell | | time | size | job |\n|---|---|---|---|---|\n";
  for (const auto& cell : sweep.cells) {
    out += fmt::format("| {} | {}{} | {} | {} | {} |\n", md(shown_name(cell)), proto::name_of(cell.state),
                       was_cached(cell) ? ", was there" : "", base::human_duration(cell.seconds),
                       base::human_bytes(cell.bytes), cell.job);
  }
  return out + "\n</details>\n";
}

std::string text_summary(const proto::Sweep& sweep, const proto::Sweep* before) {
  const auto summary = summarize(sweep, before);
  std::string out = fmt::format("sweep {} ({}) {}: {}\n", sweep.id, visible(sweep.name), proto::name_of(sweep.state),
                                verdict(sweep, summary));
  if (!sweep.reason.empty()) out += "  " + visible(sweep.reason) + "\n";
  for (const auto& failure : summary.failures) {
    out += fmt::format("  red {}: {}\n    {}\n    log: ingot logs {}\n", failure.cells.size(), names(failure.cells),
                       visible(failure.message), failure.cells.front()->job);
  }
  if (!summary.slowest.empty() && sweep.cells.size() > 1) {
    std::vector<std::string> slow;
    for (const auto* cell : summary.slowest)
      slow.push_back(visible(shown_name(*cell)) + " " + base::human_duration(cell->seconds));
    out += "  slowest: " + base::join(slow, ", ") + "\n";
  }
  for (const auto& [title, what] : changes(summary)) out += fmt::format("  {} since the last: {}\n", title, what);
  return out;
}

std::string text_diff_of(const proto::Sweep& sweep, const proto::Sweep& before) {
  const auto list = changes(summarize(sweep, &before));
  if (list.empty()) return "nothing is otherwise\n";
  std::string out;
  for (const auto& [title, what] : list) out += fmt::format("{:<12} {}\n", title, what);
  return out;
}

}  // namespace ingot::client
