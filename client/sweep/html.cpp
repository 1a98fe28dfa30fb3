#include "client/sweep/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/render/text.h"
#include "client/sweep/page_text.h"
#include "client/sweep/summary.h"
#include "client/sweep/table.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using proto::JobState;

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --line: #8884; --green: #2e7d32; --teal: #00838f; --red: #c62828; --amber: #b26a00; --blue: #1565c0; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .2rem .6rem; text-align: left; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
.c { display: inline-block; min-width: 1.6rem; padding: 0 .3rem; text-align: center; border-radius: .2rem; color: #fff; }
.succeeded { background: var(--green); } .there { background: var(--teal); } .failed { background: var(--red); }
.canceled { background: var(--amber); } .running { background: var(--blue); } .queued { background: #757575; }
svg { display: block; max-width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.note { opacity: .75; } pre { white-space: pre-wrap; margin: 0; }
)";

std::string shown(const std::string& of_others) {
  return escape_markup(visible(of_others));
}

std::string badge(const proto::SweepCell& cell) {
  const bool was_there = was_cached(cell);
  const char* sign = "?";
  switch (cell.state) {
    case JobState::succeeded:
      sign = was_there ? "=" : "\u2713";
      break;
    case JobState::failed:
      sign = "\u2717";
      break;
    case JobState::canceled:
      sign = "\u2013";
      break;
    case JobState::running:
      sign = "\u25b6";
      break;
    case JobState::queued:
      sign = "\u00b7";
      break;
  }
  const std::string state = was_there ? "was there" : proto::name_of(cell.state);
  return fmt::format("<span class=\"c {}\" title=\"{}: {}, {}\">{}</span>",
                     was_there ? "there" : proto::name_of(cell.state), shown(shown_name(cell)), state,
                     base::human_duration(cell.seconds), sign);
}

std::string grid(const proto::Sweep& sweep) {
  const SweepTable table = table_of(sweep);
  std::string out = "<h2>Cells</h2>\n<div class=\"scroll\"><table>\n<tr><th></th>";
  for (const auto& across : table.across) out += "<th scope=\"col\">" + shown(across) + "</th>";
  out += "</tr>\n";
  for (const auto& down : table.down) {
    out += "<tr><th scope=\"row\">" + shown(down) + "</th>";
    for (const auto& across : table.across) {
      const auto cell = table.cells.find({down, across});
      out += "<td>" + (cell == table.cells.end() ? std::string() : badge(*cell->second)) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string failures(const SweepSummary& summary) {
  if (summary.failures.empty()) return "";
  std::string out =
      "<h2>What failed</h2>\n<div class=\"scroll\"><table>\n<tr><th>cells</th><th>error</th><th>log</th></tr>\n";
  for (const auto& failure : summary.failures) {
    std::vector<std::string> names;
    for (const auto* cell : failure.cells) names.push_back(shown(shown_name(*cell)));
    out += fmt::format("<tr><td>{}</td><td><pre>{}</pre></td><td><code>ingot logs {}</code></td></tr>\n",
                       base::join(names, "<br>"), shown(failure.message), shown(failure.cells.front()->job));
  }
  return out + "</table></div>\n";
}

// A bar for each cell that took time, the longest first.
std::string durations(const proto::Sweep& sweep) {
  constexpr std::size_t kMost = 40;
  constexpr int kHeight = 18;
  constexpr int kLeft = 260;
  constexpr int kWidth = 480;
  std::vector<const proto::SweepCell*> cells;
  for (const auto& cell : sweep.cells) {
    if (cell.seconds > 0) cells.push_back(&cell);
  }
  std::stable_sort(cells.begin(), cells.end(), [](const auto* a, const auto* b) { return a->seconds > b->seconds; });
  if (cells.empty()) return "";
  const std::size_t hidden = cells.size() > kMost ? cells.size() - kMost : 0;
  cells.resize(cells.size() - hidden);
  std::string out = fmt::format(
      "<h2>How long each took</h2>\n<svg viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" aria-label=\"seconds of each "
      "cell\">\n",
      kLeft + kWidth + 80, kHeight * cells.size(), kLeft + kWidth + 80);
  int y = 0;
  for (const auto* cell : cells) {
    const double share = cell->seconds / cells.front()->seconds;
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" "
        "fill=\"var(--{})\"/>"
        "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        kLeft - 8, y + 13, escape_markup(cut_to_width(visible(shown_name(*cell)), 40)), kLeft, y + 3,
        std::max(1.0, share * kWidth), kHeight - 5, cell->state == JobState::failed ? "red" : "green",
        kLeft + share * kWidth + 6, y + 13, base::human_duration(cell->seconds));
    y += kHeight;
  }
  out += "</svg>\n";
  return hidden == 0 ? out : out + fmt::format("<p class=\"note\">and {} that were quicker</p>\n", hidden);
}

struct Point {
  std::int64_t when_ms = 0;
  double value = 0;
  std::string label;
};

// A line over time, the oldest to the left.
std::string plot(const std::string& title, const std::vector<Point>& points) {
  constexpr int kWidth = 720;
  constexpr int kHeight = 140;
  constexpr int kEdge = 24;
  double most = 0;
  for (const auto& point : points) most = std::max(most, point.value);
  if (points.size() < 2 || most <= 0) return "";
  std::string line;
  std::string dots;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = kEdge + static_cast<double>(kWidth - 2 * kEdge) * static_cast<double>(i) /
                                 static_cast<double>(points.size() - 1);
    const double y = kHeight - kEdge - (kHeight - 2 * kEdge) * points[i].value / most;
    line += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : " L", x, y);
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"var(--blue)\"><title>{}</title></circle>",
                        x, y, shown(human_time(points[i].when_ms) + ": " + points[i].label));
  }
  return fmt::format(
      "<h2>{}</h2>\n<svg viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" aria-label=\"{}\">"
      "<path d=\"M{} {} L{} {}\" stroke=\"var(--line)\"/><path d=\"{}\" fill=\"none\" stroke=\"var(--blue)\" "
      "stroke-width=\"2\"/>{}"
      "<text x=\"{}\" y=\"14\">{}</text><text x=\"{}\" y=\"14\" text-anchor=\"end\">{}</text></svg>\n",
      title, kWidth, kHeight, kWidth, title, kEdge, kHeight - kEdge, kWidth - kEdge, kHeight - kEdge, line, dots, kEdge,
      shown(points.front().label), kWidth - kEdge, shown(points.back().label));
}

std::string trends(const proto::Sweep& sweep, const std::vector<proto::Sweep>& earlier) {
  std::vector<Point> size;
  std::vector<Point> time;
  std::vector<const proto::Sweep*> all = {&sweep};
  for (const auto& each : earlier) all.push_back(&each);
  std::reverse(all.begin(), all.end());
  for (const auto* each : all) {
    const auto summary = summarize(*each, nullptr);
    size.push_back({each->created_ms, static_cast<double>(summary.bytes), base::human_bytes(summary.bytes)});
    if (each->finished_ms == 0) continue;
    const double seconds = static_cast<double>(each->finished_ms - each->created_ms) / 1000;
    time.push_back({each->created_ms, seconds, base::human_duration(seconds)});
  }
  return plot("Size of all that was made, over the sweeps", size) +
         plot("Time of the whole sweep, over the sweeps", time);
}

std::string all_cells(const proto::Sweep& sweep) {
  std::string out =
      "<h2>All of them</h2>\n<div "
      "class=\"scroll\"><table>\n<tr><th>cell</th><th></th><th>time</th><th>size</th><th>steps "
      "run</th><th>job</th></tr>\n";
  for (const auto& cell : sweep.cells) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{} of "
        "{}</td><td><code>{}</code></td></tr>\n",
        shown(shown_name(cell)), badge(cell), base::human_duration(cell.seconds), base::human_bytes(cell.bytes),
        cell.executed, cell.steps, shown(cell.job));
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string html_report(const proto::Sweep& sweep, const std::vector<proto::Sweep>& earlier) {
  const auto summary = summarize(sweep, earlier.empty() ? nullptr : &earlier.front());
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n"
      "<title>Sweep {0}: {1}</title>\n<style>{2}</style>\n</head>\n<body>\n<h1>Sweep {0}: {1}</h1>\n",
      shown(sweep.name), proto::name_of(sweep.state), kStyle);
  out += fmt::format("<p class=\"note\">{}, {} of {} green, {} of them were there already; <code>{}</code></p>\n",
                     human_time(sweep.created_ms), summary.green,
                     summary.green + summary.red + summary.canceled + summary.open, summary.cached, shown(sweep.id));
  if (!sweep.reason.empty()) out += "<p>" + shown(sweep.reason) + "</p>\n";
  out += grid(sweep) + failures(summary) + durations(sweep) + trends(sweep, earlier) + all_cells(sweep);
  return out + "</body>\n</html>\n";
}

}  // namespace ingot::client
