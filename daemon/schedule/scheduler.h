#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/lookout.h"
#include "daemon/schedule/plan.h"
#include "daemon/schedule/schedule_table.h"
#include "daemon/sys/cancel.h"
#include "proto/schedule.h"

namespace ingot::schedule {

// Has sweeps run at their times. What fell into a downtime is made up for once; a sweep of a schedule whose last one
// still runs is left out. Thread-safe, and nothing but a submission takes long: each has a thread of its own.
class Scheduler {
 public:
  struct Hands {
    // Queues the sweep, and gives its id; the same key once more gives the same sweep. Kinds
    // `unavailable`, `no_space` and `timed_out` are tried again soon, and `canceled` is left to the next daemon.
    std::function<Result<std::string>(const Plan&, const std::string& key, const sys::CancelToken&)> submit;
    std::function<Result<bool>(const std::string& sweep)> is_over;
    std::function<void(const Plan&, const std::string& problem)> tell_problem;  // a turn of which nothing came
  };
  Scheduler(ScheduleTable table, base::Clock& clock, Hands hands)
      : table_(table), clock_(clock), hands_(std::move(hands)) {}
  ~Scheduler() { stop(); }

  // Those of the configuration: at the start, and whenever it is read again.
  Status set_plans(const std::vector<Plan>& plans);
  void start();
  void stop();  // submissions that go on are given up

  Result<std::vector<proto::Schedule>> list();
  // Begins now, whatever its time; kind `conflict` while its last sweep runs or is submitted.
  Result<proto::Schedule> run(const std::string& name);
  Result<proto::Schedule> pause(const std::string& name, bool is_paused);

  // Begins what is due; without start() it is done when this returns. How long until there is something to do again;
  // none: there is nothing.
  std::optional<std::chrono::milliseconds> look();

 private:
  struct Submission {
    std::atomic<bool> is_done = false;
    std::thread thread;
  };

  Result<Plan> find(const std::string& name) const;
  std::vector<Plan> plans() const;
  Result<proto::Schedule> describe(const Plan& plan);
  // What is known of one; of a new one, that nothing is due so far.
  Result<Memory> recall(const Plan& plan);
  std::optional<std::int64_t> due_ms(const Plan& plan, const Memory& memory) const;
  Status check_last_is_over(const Memory& memory) const;
  Status change(const Plan& plan, const std::function<void(Memory&)>& how);
  void begin(const Plan& plan, const std::string& key, std::optional<std::int64_t> handled_ms);
  void submit(const Plan& plan, const std::string& key, std::optional<std::int64_t> handled_ms);
  void note(const Plan& plan, const Result<std::string>& sweep, std::optional<std::int64_t> handled_ms);
  bool is_submitting(const std::string& name) const;
  void join_done();

  ScheduleTable table_;
  base::Clock& clock_;
  const Hands hands_;
  sys::CancelSource cancel_;
  std::mutex rows_;  // held while a row is read and written; taken before `mutex_`

  base::Lookout lookout_;
  mutable std::mutex mutex_;  // guards the rest
  std::vector<Plan> plans_;
  std::set<std::string> submitting_;  // names
  std::list<Submission> submissions_;
  bool stop_ = false;
};

}  // namespace ingot::schedule
