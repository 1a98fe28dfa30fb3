#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/schedule/cron.h"
#include "daemon/schedule/schedule_table.h"
#include "proto/schedule.h"

namespace ingot::schedule {

// What the configuration says of one.
struct Plan {
  std::string name;
  std::string file;  // of the sweep
  std::string cron_text;
  Cron cron;
  std::string time_zone;  // empty: the host's
  std::int64_t jitter_seconds = 0;
};

// Kind `invalid` for one that cannot work.
Status check_plan(const Plan& plan);

// Has sweeps run at their times. What fell into a downtime is made up for once; a sweep of a schedule whose last one
// still runs is left out. Thread-safe.
class Scheduler {
 public:
  struct Hands {
    // Queues the sweep, and gives its id; the same key once more gives the same sweep.
    std::function<Result<std::string>(const Plan&, const std::string& key)> submit;
    std::function<Result<bool>(const std::string& sweep)> is_over;
  };
  Scheduler(ScheduleTable table, base::Clock& clock, Hands hands)
      : table_(table), clock_(clock), hands_(std::move(hands)) {}
  ~Scheduler() { stop(); }

  // Those of the configuration: at the start, and whenever it is read again.
  Status set_plans(std::vector<Plan> plans);
  void start();
  void stop();

  Result<std::vector<proto::Schedule>> list();
  // Now, whatever its time; kind `conflict` while its last sweep runs.
  Result<proto::Schedule> run(const std::string& name);
  Result<proto::Schedule> pause(const std::string& name, bool is_paused);

  // Does what is due. How long until there is something to do again; none: there is nothing.
  std::optional<std::chrono::milliseconds> look();

 private:
  Result<Plan> find(const std::string& name) const;
  Result<proto::Schedule> describe(const Plan& plan);
  // What is known of one; of a new one, that nothing is due so far.
  Result<Memory> recall(const Plan& plan);
  std::optional<std::int64_t> due_ms(const Plan& plan, const Memory& memory) const;
  Status run_due(const Plan& plan, std::int64_t now_ms);
  Result<Memory> begin(const Plan& plan, Memory memory, const std::string& key);
  void loop();  // a thread

  ScheduleTable table_;
  base::Clock& clock_;
  const Hands hands_;
  // One sweep is submitted at a time, and a row is changed by one alone; held for as long as a submission takes.
  std::mutex turn_;
  mutable std::mutex mutex_;  // guards the rest; taken after `turn_`
  std::condition_variable changed_;
  std::vector<Plan> plans_;
  bool stop_ = false;
  bool is_new_ = false;  // the plans, or what is paused
  std::thread thread_;
};

}  // namespace ingot::schedule
