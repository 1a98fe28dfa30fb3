#include "client/sweep/prepare.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/commands/ask.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/parts.h"
#include "client/commands/secrets.h"
#include "client/sweep/follow.h"
#include "client/sweep/grid.h"
#include "client/sweep/html.h"
#include "client/sweep/report.h"
#include "client/sweep/summary.h"
#include "daemon/base/strings.h"
#include "daemon/edge/schema.h"
#include "daemon/sweep/specification.h"
#include "daemon/sys/atomic_file.h"

// sweep.
namespace ingot::client {

namespace {

using base::fail;
using proto::JobState;
using proto::SweepState;

int exit_code_of(const proto::Sweep& sweep) {
  if (sweep.state == SweepState::succeeded) return 0;
  return proto::info(sweep.state == SweepState::canceled ? ErrorKind::canceled : ErrorKind::step_failed).exit_code;
}

// Those of this name and project that ended before it, the latest first.
Result<std::vector<proto::Sweep>> sweeps_before(Daemon& daemon, const proto::Sweep& sweep, std::size_t most) {
  constexpr std::uint64_t kLookedAt = 1000;
  INGOT_TRY(const auto sweeps, daemon.sweeps(kLookedAt));
  std::vector<proto::Sweep> before;
  for (const auto& each : sweeps) {
    const bool is_earlier = each.created_ms < sweep.created_ms && each.id != sweep.id;
    if (!is_earlier || each.name != sweep.name || each.project != sweep.project || !proto::is_final(each.state))
      continue;
    INGOT_TRY(auto whole, daemon.sweep(each.id));
    before.push_back(std::move(whole));
    if (before.size() == most) break;
  }
  return before;
}

Status print_summary(Daemon& daemon, const proto::Sweep& sweep) {
  INGOT_TRY(const auto before, sweeps_before(daemon, sweep, 1));
  std::printf("%s", text_summary(sweep, before.empty() ? nullptr : &before.front()).c_str());
  return {};
}

Result<int> wait_for(const Invocation& invocation, Daemon& daemon, const std::string& id) {
  INGOT_TRY(const auto style, output_style(invocation));
  const bool is_silent = wants_json(invocation) || is_quiet(invocation);
  INGOT_TRY(const auto sweep, follow_sweep(daemon, id, style, is_silent));
  if (wants_json(invocation)) {
    print_json(proto::to_json(sweep));
  } else if (!is_silent) {
    INGOT_CHECK(print_summary(daemon, sweep));
  }
  return exit_code_of(sweep);
}

std::string file_of(const Invocation& invocation) {
  return invocation.words.size() > 1 ? invocation.words[1] : "sweep.yaml";
}

Result<int> plan(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto prepared, prepare_sweep(invocation, daemon, file_of(invocation), For::planning));
  INGOT_TRY(const auto cells, daemon.forecast(prepared.spec));
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      auto row = proto::to_json(cells[i]);
      row["target"] = prepared.spec.cells[i].target;
      row["args"] = prepared.spec.cells[i].args;
      list.push_back(std::move(row));
    }
    print_json({{"name", prepared.spec.name}, {"cells", list}});
    return 0;
  }
  std::uint64_t unchanged = 0;
  std::uint64_t unknown = 0;
  std::uint64_t bytes = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
  for (const auto& cell : cells) {
    if (cell.is_unchanged) {
      ++unchanged;
    } else if (!cell.is_known) {
      ++unknown;
    } else {
      seconds += cell.seconds;
      bytes += cell.bytes;
      steps += cell.executed;
    }
    if (is_quiet(invocation)) continue;
    const std::string forecast = cell.is_unchanged ? "nothing to do"
                                 : cell.is_known
                                     ? fmt::format("{} of {} steps, {}, {}", cell.executed, cell.steps,
                                                   base::human_duration(cell.seconds), base::human_bytes(cell.bytes))
                                     : "never built";
    std::printf("%s  %s\n", visible(cell.name).c_str(), forecast.c_str());
  }
  std::printf("%zu cells: %s are built already, %s were never; the others took %s of steps, %s, %s\n", cells.size(),
              std::to_string(unchanged).c_str(), std::to_string(unknown).c_str(), std::to_string(steps).c_str(),
              base::human_duration(seconds).c_str(), base::human_bytes(bytes).c_str());
  return 0;
}

Result<int> run(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto prepared, prepare_sweep(invocation, daemon, file_of(invocation), For::running));
  INGOT_TRY(const auto sweep, daemon.submit_sweep(prepared.spec, prepared.secrets));
  if (sweep.existed && !is_quiet(invocation)) {
    std::fprintf(stderr, "ingot: sweep %s is the same, and was submitted already\n", sweep.id.c_str());
  }
  if (invocation.has("--wait")) {
    if (!is_quiet(invocation) && !wants_json(invocation)) {
      std::printf("sweep %s: %zu cells\n", sweep.id.c_str(), prepared.spec.cells.size());
    }
    return wait_for(invocation, daemon, sweep.id);
  }
  if (wants_json(invocation)) {
    print_json(proto::to_json(sweep));
  } else {
    std::printf("%s\n", sweep.id.c_str());
  }
  return 0;
}

Result<int> ls(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto limit, number_flag(invocation, "--limit", 20));
  INGOT_TRY(const auto sweeps, daemon.sweeps(limit));
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (const auto& sweep : sweeps) list.push_back(proto::to_json(sweep));
    print_json({{"sweeps", list}});
    return 0;
  }
  for (const auto& sweep : sweeps) {
    std::printf("%s  %-10s  %s  %-20s  %s\n", sweep.id.c_str(), proto::name_of(sweep.state),
                human_time(sweep.created_ms).c_str(), visible(sweep.name).c_str(), draw_counts(sweep).c_str());
  }
  return 0;
}

Result<int> show(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  INGOT_TRY(const auto sweep, daemon.sweep(id));
  if (wants_json(invocation)) {
    print_json(proto::to_json(sweep));
    return 0;
  }
  INGOT_TRY(const auto style, output_style(invocation));
  const std::size_t columns = isatty(STDOUT_FILENO) != 0 ? terminal_columns() : 1000;
  for (const auto& line : draw_grid(sweep, style, sweep.cells.size() + 2, columns)) std::printf("%s\n", line.c_str());
  std::printf("+ built, = was there, X failed, > runs, . waits, - canceled\n");
  INGOT_CHECK(print_summary(daemon, sweep));
  return 0;
}

// The log of one cell; without its name, of the first that failed.
Result<int> logs(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  INGOT_TRY(const auto sweep, daemon.sweep(id));
  const std::string wanted = invocation.words.size() > 2 ? invocation.words[2] : "";
  std::vector<std::string> names;
  for (const auto& cell : sweep.cells) {
    const bool is_it = wanted.empty() ? cell.state == JobState::failed : cell.name == wanted || cell.job == wanted;
    names.push_back(cell.name);
    if (!is_it) continue;
    Invocation of_job = invocation;
    of_job.command = "logs";
    of_job.words = {cell.job};
    return run_logs(of_job);
  }
  if (wanted.empty())
    return fail(ErrorKind::not_found, "no cell of sweep " + sweep.id + " failed", "name one of its cells");
  return fail(ErrorKind::not_found, fmt::format("sweep {} has no cell \"{}\"", sweep.id, base::printable(wanted)),
              base::did_you_mean(wanted, names));
}

Result<int> cancel(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  INGOT_TRY(const auto sweep, daemon.cancel_sweep(id));
  if (wants_json(invocation)) {
    print_json(proto::to_json(sweep));
  } else if (!is_quiet(invocation)) {
    std::printf("%s %s\n", sweep.id.c_str(), proto::is_final(sweep.state) ? "is canceled" : "is being canceled");
  }
  return 0;
}

Result<int> retry(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  const Ask ask = can_ask() ? Ask(ask_unseen) : Ask();
  INGOT_TRY(const auto secrets, collect_secrets(invocation, project_directory(invocation), ask));
  INGOT_TRY(const auto sweep, daemon.retry_sweep(id, invocation.has("--failed"), secrets.values));
  if (invocation.has("--wait")) return wait_for(invocation, daemon, sweep.id);
  if (wants_json(invocation)) {
    print_json(proto::to_json(sweep));
  } else {
    std::printf("%s\n", sweep.id.c_str());
  }
  return 0;
}

Result<int> wait(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  return wait_for(invocation, daemon, id);
}

Result<int> report_on(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto id, word_of_part(invocation, 1, "a sweep"));
  const std::string format = invocation.value("--format", wants_json(invocation) ? "json" : "markdown");
  INGOT_TRY(const auto sweep, daemon.sweep(id));
  constexpr std::size_t kTrend = 30;
  INGOT_TRY(const auto before, sweeps_before(daemon, sweep, format == "html" ? kTrend : 1));
  std::string text;
  if (format == "junit") {
    text = junit_report(sweep);
  } else if (format == "markdown") {
    text = markdown_report(sweep, before.empty() ? nullptr : &before.front());
  } else if (format == "html") {
    text = html_report(sweep, before);
  } else if (format == "json") {
    text = proto::to_json(sweep).dump(2) + "\n";
  } else {
    return fail(ErrorKind::usage, "--format is markdown, html, junit or json, not \"" + base::printable(format) + "\"",
                base::did_you_mean(format, {"markdown", "html", "junit", "json"}));
  }
  const std::string file = invocation.value("--output", "-");
  if (file != "-") {
    INGOT_CHECK(sys::write_file_durably(project_directory(invocation) / file, text));
    return 0;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

Result<int> diff(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto first, word_of_part(invocation, 1, "two sweeps"));
  INGOT_TRY(const auto second, word_of_part(invocation, 2, "two sweeps"));
  INGOT_TRY(const auto before, daemon.sweep(first));
  INGOT_TRY(const auto after, daemon.sweep(second));
  std::printf("%s", text_diff_of(after, before).c_str());
  return 0;
}

}  // namespace

Result<int> run_sweep(const Invocation& invocation) {
  if (invocation.has("--schema")) {
    std::printf("%s\n", edge::json_schema(sweep::sweep_schema(), "sweep.yaml of Ingot").dump(2).c_str());
    return 0;
  }
  return run_part(invocation, {{"plan", plan},
                               {"run", run},
                               {"ls", ls},
                               {"show", show},
                               {"logs", logs},
                               {"wait", wait},
                               {"cancel", cancel},
                               {"retry", retry},
                               {"report", report_on},
                               {"diff", diff}});
}

}  // namespace ingot::client
