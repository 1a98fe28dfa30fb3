#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/parts.h"
#include "daemon/base/strings.h"

// schedule.
namespace ingot::client {

namespace {

using base::fail;

void print_next(const Invocation& invocation, const proto::Schedule& schedule) {
  if (wants_json(invocation)) {
    print_json(proto::to_json(schedule));
  } else if (!is_quiet(invocation)) {
    const std::string next = schedule.is_paused      ? "is paused"
                             : schedule.next_ms == 0 ? "has no next time"
                                                     : "runs next at " + human_time(schedule.next_ms);
    std::printf("schedule %s %s\n", visible(schedule.name).c_str(), next.c_str());
  }
}

// What came of the last time.
std::string outcome_of(const proto::Schedule& schedule, Daemon& daemon) {
  if (schedule.ran_ms == 0) return "-";
  const std::string at = human_time(schedule.ran_ms) + "  ";
  if (!schedule.problem.empty()) return at + visible(schedule.problem.substr(0, schedule.problem.find('\n')));
  const auto sweep = daemon.sweep(schedule.sweep);
  return at + schedule.sweep + " " + (sweep ? proto::name_of(sweep->state) : "(not kept any more)");
}

Result<int> list_schedules(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto schedules, daemon.schedules());
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (const auto& each : schedules) list.push_back(proto::to_json(each));
    print_json({{"schedules", list}});
    return 0;
  }
  if (schedules.empty() && !is_quiet(invocation)) {
    std::fprintf(stderr, "ingot: the daemon's configuration has no `schedules`\n");
  }
  std::size_t longest = 0;
  for (const auto& each : schedules) longest = std::max(longest, each.name.size());
  for (const auto& each : schedules) {
    const std::string next = each.is_submitting  ? "being sent"
                             : each.is_paused    ? "paused"
                             : each.next_ms == 0 ? "never"
                                                 : human_time(each.next_ms);
    const std::string zone = each.time_zone.empty() ? "" : " " + each.time_zone;
    std::printf("%-*s  next %-16s  %s%s  %s\n%*s  last %s\n", static_cast<int>(longest), visible(each.name).c_str(),
                next.c_str(), visible(each.cron).c_str(), visible(zone).c_str(), visible(each.file).c_str(),
                static_cast<int>(longest), "", outcome_of(each, daemon).c_str());
  }
  return 0;
}

Result<proto::Schedule> schedule_called(Daemon& daemon, const std::string& name) {
  INGOT_TRY(const auto schedules, daemon.schedules());
  for (const auto& each : schedules) {
    if (each.name == name) return each;
  }
  return fail(ErrorKind::not_found, "the schedule was taken out of the configuration");
}

Result<int> run_now(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto name, word_of_part(invocation, 1, "the name of a schedule"));
  INGOT_TRY(auto schedule, daemon.change_schedule(name, "run"));
  while (schedule.is_submitting) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    INGOT_TRY(schedule, schedule_called(daemon, name));
  }
  if (!schedule.problem.empty())
    return fail(base::with_context(Error{ErrorKind::invalid, schedule.problem, {}, {}, {}}, "in schedule " + name));
  if (wants_json(invocation)) {
    print_json(proto::to_json(schedule));
  } else {
    std::printf("%s\n", schedule.sweep.c_str());
  }
  return 0;
}

Result<int> pause(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto name, word_of_part(invocation, 1, "the name of a schedule"));
  INGOT_TRY(const auto schedule, daemon.change_schedule(name, "pause"));
  print_next(invocation, schedule);
  return 0;
}

Result<int> resume(const Invocation& invocation, Daemon& daemon) {
  INGOT_TRY(const auto name, word_of_part(invocation, 1, "the name of a schedule"));
  INGOT_TRY(const auto schedule, daemon.change_schedule(name, "resume"));
  print_next(invocation, schedule);
  return 0;
}

}  // namespace

Result<int> run_schedule(const Invocation& invocation) {
  return run_part(invocation, {{"ls", list_schedules}, {"run", run_now}, {"pause", pause}, {"resume", resume}});
}

}  // namespace ingot::client
