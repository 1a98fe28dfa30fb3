#include "daemon/schedule/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::schedule {

namespace {

using base::fail;
using std::chrono::milliseconds;

// A host's clock may be set, and a host may sleep: a time is not slept through to its end.
constexpr milliseconds kLongestSleep = std::chrono::minutes(1);
// A clock that is put back by more than this was wrong before; by less, what it shows once more is dealt with already.
constexpr std::int64_t kClockIsPutBack_ms = 3'600'000;

// What of a plan decides when it is its turn.
std::string when(const Plan& plan) {
  return plan.cron_text + "\n" + plan.time_zone;
}

// Of these another attempt may end otherwise, such as when a queue that was full has room.
bool is_passing(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::no_space || kind == ErrorKind::timed_out;
}

}  // namespace

Status Scheduler::set_plans(const std::vector<Plan>& plans) {
  std::vector<std::string> names;
  names.reserve(plans.size());
  for (const auto& plan : plans) names.push_back(plan.name);
  {
    const std::lock_guard lock(mutex_);
    plans_ = plans;
  }
  {
    const std::lock_guard rows(rows_);
    INGOT_CHECK(table_.keep_only(names));
  }
  for (const auto& plan : plans) INGOT_CHECK(change(plan, [](Memory&) {}));
  lookout_.wake();
  return {};
}

void Scheduler::start() {
  lookout_.start([this] { return look(); });
}

void Scheduler::stop() {
  cancel_.cancel();
  lookout_.stop();
  std::list<Submission> submissions;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    submissions.swap(submissions_);
  }
  for (auto& each : submissions) each.thread.join();
}

// Without the lock, which they take once more at their end.
void Scheduler::join_done() {
  std::list<Submission> done;
  {
    const std::lock_guard lock(mutex_);
    for (auto each = submissions_.begin(); each != submissions_.end();) {
      const auto next = std::next(each);
      if (each->is_done) done.splice(done.end(), submissions_, each);
      each = next;
    }
  }
  for (auto& each : done) each.thread.join();
}

std::optional<milliseconds> Scheduler::look() {
  join_done();
  std::optional<milliseconds> pause;
  for (const auto& plan : plans()) {
    if (cancel_.token().canceled()) break;
    auto memory = recall(plan);
    if (!memory) base::log::error("schedule {}: {}", plan.name, memory.error().message);
    auto due = memory ? due_ms(plan, *memory) : std::nullopt;
    if (memory && !due) continue;
    const std::int64_t now = clock_.unix_ms();
    if (due && *due <= now && !is_submitting(plan.name)) {
      // However many of its times have passed, it is one turn. Should this daemon end before it knows the answer, the
      // next one asks for the same.
      begin(plan, fmt::format("schedule-{}-{}", plan.name, *due), now);
      memory = recall(plan);
      due = memory ? due_ms(plan, *memory) : std::nullopt;
    }
    // One that is due still is being submitted, or could not be for now.
    const milliseconds left = due && *due > now ? milliseconds(*due - now) : kLongestSleep;
    pause = std::min(pause.value_or(kLongestSleep), left);
  }
  return pause;
}

std::vector<Plan> Scheduler::plans() const {
  const std::lock_guard lock(mutex_);
  return plans_;
}

bool Scheduler::is_submitting(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return submitting_.contains(name);
}

Result<Plan> Scheduler::find(const std::string& name) const {
  const auto all = plans();
  std::vector<std::string> names;
  for (const auto& plan : all) {
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
  if (memory->when != when(plan) || memory->handled_ms > clock_.unix_ms() + kClockIsPutBack_ms) {
    memory->when = when(plan);
    memory->handled_ms = clock_.unix_ms();
  }
  return *std::move(memory);
}

Status Scheduler::change(const Plan& plan, const std::function<void(Memory&)>& how) {
  const std::lock_guard rows(rows_);
  INGOT_TRY(auto memory, recall(plan));
  how(memory);
  return table_.put(plan.name, memory);
}

std::optional<std::int64_t> Scheduler::due_ms(const Plan& plan, const Memory& memory) const {
  if (memory.is_paused) return std::nullopt;
  const auto next = next_time(plan.cron, plan.time_zone, memory.handled_ms);
  if (!next) return std::nullopt;
  return *next + delay_ms(plan, *next);
}

// `handled_ms` is none for one that is not for its time.
void Scheduler::begin(const Plan& plan, const std::string& key, std::optional<std::int64_t> handled_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_ || !submitting_.insert(plan.name).second) return;
    if (lookout_.is_running()) {
      Submission& submission = submissions_.emplace_back();
      submission.thread = std::thread([this, plan, key, handled_ms, &submission] {
        submit(plan, key, handled_ms);
        submission.is_done = true;
        lookout_.wake();
      });
      return;
    }
  }
  submit(plan, key, handled_ms);
}

void Scheduler::submit(const Plan& plan, const std::string& key, std::optional<std::int64_t> handled_ms) {
  const auto memory = recall(plan);
  Result<std::string> sweep = memory ? Result<std::string>("") : fail(memory.error());
  if (memory) {
    const auto is_over = check_last_is_over(*memory);
    sweep = is_over ? hands_.submit(plan, key, cancel_.token()) : fail(is_over.error());
  }
  // What the end of this daemon cut short is for the next one.
  if (sweep || sweep.error().kind != ErrorKind::canceled) note(plan, sweep, handled_ms);
  const std::lock_guard lock(mutex_);
  submitting_.erase(plan.name);
}

Status Scheduler::check_last_is_over(const Memory& memory) const {
  if (memory.sweep.empty()) return {};
  const auto is_over = hands_.is_over(memory.sweep);
  if (!is_over && is_over.error().kind == ErrorKind::not_found) return {};  // retention has taken it
  if (!is_over) return fail(is_over.error());
  if (*is_over) return {};
  return fail(ErrorKind::conflict, "sweep " + memory.sweep + " of the last time has not ended",
              "`ingot sweep wait " + memory.sweep + "`, or `ingot sweep cancel " + memory.sweep + "` first");
}

void Scheduler::note(const Plan& plan, const Result<std::string>& sweep, std::optional<std::int64_t> handled_ms) {
  const std::string problem = sweep ? "" : proto::render(sweep.error());
  const bool is_put_off = !sweep && is_passing(sweep.error().kind);
  bool is_known = false;
  const auto noted = change(plan, [&](Memory& memory) {
    is_known = !problem.empty() && memory.problem == problem;
    memory.ran_ms = clock_.unix_ms();
    memory.problem = problem;
    if (sweep || sweep.error().kind != ErrorKind::conflict) memory.sweep = sweep.value_or("");
    if (handled_ms && !is_put_off) memory.handled_ms = std::max(memory.handled_ms, *handled_ms);
  });
  if (!noted) base::log::error("schedule {}: {}", plan.name, noted.error().message);
  if (sweep) {
    base::log::info("schedule {}: sweep {}", plan.name, *sweep);
  } else if (!is_put_off || !is_known) {
    base::log::error("schedule {}: {}", plan.name, problem);
    hands_.tell_problem(plan, problem);
  }
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
  schedule.is_submitting = is_submitting(plan.name);
  schedule.next_ms = due_ms(plan, memory).value_or(0);
  schedule.ran_ms = memory.ran_ms;
  schedule.sweep = memory.sweep;
  schedule.problem = memory.problem;
  return schedule;
}

Result<std::vector<proto::Schedule>> Scheduler::list() {
  std::vector<proto::Schedule> schedules;
  for (const auto& plan : plans()) {
    INGOT_TRY(auto schedule, describe(plan));
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

Result<proto::Schedule> Scheduler::run(const std::string& name) {
  INGOT_TRY(const auto plan, find(name));
  if (is_submitting(name)) {
    return fail(ErrorKind::conflict, "the sweep of schedule " + name + " is being submitted",
                "`ingot schedule ls` tells what comes of it");
  }
  INGOT_TRY(const auto memory, recall(plan));
  INGOT_CHECK(check_last_is_over(memory));
  begin(plan, fmt::format("schedule-{}-by-hand-{}", plan.name, clock_.unix_ms()), std::nullopt);
  return describe(plan);
}

Result<proto::Schedule> Scheduler::pause(const std::string& name, bool is_paused) {
  INGOT_TRY(const auto plan, find(name));
  INGOT_CHECK(change(plan, [&](Memory& memory) {
    // What passed while it was paused was not wanted.
    if (memory.is_paused && !is_paused) memory.handled_ms = std::max(memory.handled_ms, clock_.unix_ms());
    memory.is_paused = is_paused;
  }));
  lookout_.wake();
  return describe(plan);
}

}  // namespace ingot::schedule
