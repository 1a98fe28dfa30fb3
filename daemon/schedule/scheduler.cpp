#include "daemon/schedule/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::schedule {

namespace {

using base::fail;
using std::chrono::milliseconds;

// A host's clock may be set, and a host may sleep: a time is not slept through to its end.
constexpr milliseconds kLongestSleep = std::chrono::minutes(1);

// What of a plan decides when it is its turn.
std::string when(const Plan& plan) {
  return plan.cron_text + "\n" + plan.time_zone;
}

// The same for one schedule and time wherever it is asked, and different ones for schedules of the same time.
std::int64_t delay_ms(const Plan& plan, std::int64_t time_ms) {
  if (plan.jitter_seconds == 0) return 0;
  constexpr int kDigits = 12;  // 48 bits, as hexadecimal digits
  const auto digest = base::Digest::of(fmt::format("{}\n{}\n{}", plan.name, plan.file, time_ms)).hex();
  return static_cast<std::int64_t>(std::stoull(digest.substr(0, kDigits), nullptr, 16) %
                                   static_cast<std::uint64_t>(plan.jitter_seconds * 1000));
}

}  // namespace

Status check_plan(const Plan& plan) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (plan.name.empty() || !std::all_of(plan.name.begin(), plan.name.end(), fits)) {
    return fail(ErrorKind::invalid, "a schedule has a `name` of letters, digits, \"-\", \"_\" and \".\"",
                "such as nightly");
  }
  if (!plan.file.starts_with('/')) {
    return fail(ErrorKind::invalid, "schedule " + plan.name + " needs a `file`, the absolute path of a sweep",
                "such as /srv/edge/sweep.yaml");
  }
  if (plan.cron_text.empty()) {
    return fail(ErrorKind::invalid, "schedule " + plan.name + " needs a `cron` expression", "such as \"30 2 * * *\"");
  }
  if (!next_time(plan.cron, plan.time_zone, 0)) {
    return fail(ErrorKind::invalid, "schedule " + plan.name + ": no day is as \"" + plan.cron_text + "\" says");
  }
  return {};
}

Status Scheduler::set_plans(std::vector<Plan> plans) {
  std::vector<std::string> names;
  for (const auto& plan : plans) names.push_back(plan.name);
  const std::lock_guard turn(turn_);
  INGOT_CHECK(table_.keep_only(names));
  for (const auto& plan : plans) {
    INGOT_TRY(const auto memory, recall(plan));
    INGOT_CHECK(table_.put(plan.name, memory));
  }
  const std::lock_guard lock(mutex_);
  plans_ = std::move(plans);
  is_new_ = true;
  changed_.notify_all();
  return {};
}

void Scheduler::start() {
  thread_ = std::thread([this] { loop(); });
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Scheduler::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    is_new_ = false;
    lock.unlock();
    const auto pause = look();
    lock.lock();
    const auto woken = [this] { return stop_ || is_new_; };
    // A daemon without schedules wakes for nothing.
    if (pause) {
      changed_.wait_for(lock, std::min(*pause, kLongestSleep), woken);
    } else {
      changed_.wait(lock, woken);
    }
  }
}

std::optional<milliseconds> Scheduler::look() {
  std::vector<Plan> plans;
  {
    const std::lock_guard lock(mutex_);
    plans = plans_;
  }
  std::optional<milliseconds> pause;
  for (const auto& plan : plans) {
    if (const auto done = run_due(plan, clock_.unix_ms()); !done) {
      base::log::error("schedule {}: {}", plan.name, done.error().message);
      pause = kLongestSleep;
      continue;
    }
    const auto memory = recall(plan);
    const auto due = memory ? due_ms(plan, *memory) : std::nullopt;
    if (!due) continue;
    const milliseconds left(std::max<std::int64_t>(*due - clock_.unix_ms(), 0));
    pause = pause ? std::min(*pause, left) : left;
  }
  return pause;
}

Result<Plan> Scheduler::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& plan : plans_) {
    if (plan.name == name) return plan;
    names.push_back(plan.name);
  }
  const std::string near = base::did_you_mean(name, names);
  return fail(ErrorKind::not_found, "there is no schedule \"" + base::printable(name) + "\"",
              names.empty() ? "`schedules` of the daemon's configuration has them" : near);
}

Result<Memory> Scheduler::recall(const Plan& plan) {
  INGOT_TRY(auto memory, table_.find(plan.name));
  if (!memory) memory = Memory{{}, false, 0, 0, {}, {}};
  // Other times than before: what they would have been until now is nothing that was missed.
  if (memory->when != when(plan)) {
    memory->when = when(plan);
    memory->handled_ms = clock_.unix_ms();
  }
  return *std::move(memory);
}

std::optional<std::int64_t> Scheduler::due_ms(const Plan& plan, const Memory& memory) const {
  if (memory.is_paused) return std::nullopt;
  const auto next = next_time(plan.cron, plan.time_zone, memory.handled_ms);
  if (!next) return std::nullopt;
  return *next + delay_ms(plan, *next);
}

// However many of its times have passed, it is one turn.
Status Scheduler::run_due(const Plan& plan, std::int64_t now_ms) {
  const std::lock_guard turn(turn_);
  INGOT_TRY(auto memory, recall(plan));
  const auto due = due_ms(plan, memory);
  if (!due || *due > now_ms) return {};
  // Should this daemon die before it knows the answer, the next one asks for the same.
  const std::string key = fmt::format("schedule-{}-{}", plan.name, *due);
  memory.handled_ms = now_ms;
  return begin(plan, std::move(memory), key).map([](const Memory&) {});
}

Result<Memory> Scheduler::begin(const Plan& plan, Memory memory, const std::string& key) {
  memory.ran_ms = clock_.unix_ms();
  memory.problem.clear();
  const std::string last = memory.sweep;
  auto is_over = last.empty() ? Result<bool>(true) : hands_.is_over(last);
  if (!is_over && is_over.error().kind == ErrorKind::not_found) is_over = true;  // retention has taken it
  if (!is_over) return fail(is_over.error());
  if (!*is_over) {
    memory.problem = "sweep " + last + " of the last time had not ended";
    base::log::warning("schedule {}: left out: {}", plan.name, memory.problem);
  } else if (const auto sweep = hands_.submit(plan, key)) {
    memory.sweep = *sweep;
    base::log::info("schedule {}: sweep {}", plan.name, *sweep);
  } else {
    memory.sweep.clear();
    memory.problem = proto::render(sweep.error());
    base::log::error("schedule {}: {}", plan.name, memory.problem);
  }
  INGOT_CHECK(table_.put(plan.name, memory));
  return memory;
}

Result<proto::Schedule> Scheduler::describe(const Plan& plan) {
  INGOT_TRY(const auto memory, recall(plan));
  proto::Schedule schedule;
  schedule.name = plan.name;
  schedule.file = plan.file;
  schedule.cron = plan.cron_text;
  schedule.time_zone = plan.time_zone;
  schedule.jitter_seconds = plan.jitter_seconds;
  schedule.is_paused = memory.is_paused;
  schedule.next_ms = due_ms(plan, memory).value_or(0);
  schedule.ran_ms = memory.ran_ms;
  schedule.sweep = memory.sweep;
  schedule.problem = memory.problem;
  return schedule;
}

Result<std::vector<proto::Schedule>> Scheduler::list() {
  std::vector<Plan> plans;
  {
    const std::lock_guard lock(mutex_);
    plans = plans_;
  }
  std::vector<proto::Schedule> schedules;
  for (const auto& plan : plans) {
    INGOT_TRY(auto schedule, describe(plan));
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

Result<proto::Schedule> Scheduler::run(const std::string& name) {
  INGOT_TRY(const auto plan, find(name));
  const std::lock_guard turn(turn_);
  INGOT_TRY(const auto before, recall(plan));
  INGOT_TRY(const auto after, begin(plan, before, fmt::format("schedule-{}-by-hand-{}", plan.name, clock_.unix_ms())));
  if (!after.problem.empty()) {
    const bool runs = after.sweep == before.sweep && !after.sweep.empty();
    return fail(
        runs ? ErrorKind::conflict : ErrorKind::invalid, "schedule " + name + ": " + after.problem,
        runs ? "`ingot sweep wait " + after.sweep + "`, or `ingot sweep cancel " + after.sweep + "` first" : "");
  }
  return describe(plan);
}

Result<proto::Schedule> Scheduler::pause(const std::string& name, bool is_paused) {
  INGOT_TRY(const auto plan, find(name));
  {
    const std::lock_guard turn(turn_);
    INGOT_TRY(auto memory, recall(plan));
    // What passed while it was paused was not wanted.
    if (memory.is_paused && !is_paused) memory.handled_ms = clock_.unix_ms();
    memory.is_paused = is_paused;
    INGOT_CHECK(table_.put(plan.name, memory));
  }
  {
    const std::lock_guard lock(mutex_);
    is_new_ = true;
    changed_.notify_all();
  }
  return describe(plan);
}

}  // namespace ingot::schedule
