#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "daemon/jobs/job_queue.h"
#include "daemon/jobs/sweep_table.h"
#include "daemon/sys/cancel.h"

namespace ingot::jobs {

// Watches over sweeps: what follows from the end of each cell, their time limits, and publishing. Thread-safe.
class Sweeps {
 public:
  struct Hands {
    std::function<void()> wake;                          // there is work for workers
    std::function<void(const std::string& job)> cancel;  // a job that runs
    std::function<void(const std::string& job)> forget;  // a job that was canceled in the queue: its secrets and log
  };
  Sweeps(SweepTable& table, base::Clock& clock, Hands hands) : table_(table), clock_(clock), hands_(std::move(hands)) {}
  ~Sweeps() { stop(); }

  // Takes up what an earlier daemon left.
  void start(PublishImage publish);
  void stop();

  void submitted(const proto::Sweep& sweep);  // or repeated
  // A job's end is recorded; of one that is in no sweep nothing follows.
  void job_ended(const std::string& job);
  Status cancel(const std::string& id);

 private:
  void settle(const std::string& sweep);
  void act(const std::string& sweep, const SweepTable::Settled& settled);
  void work();
  void look_at_deadlines();
  void publish(const std::string& sweep);

  SweepTable& table_;
  base::Clock& clock_;
  const Hands hands_;
  PublishImage publish_;
  sys::CancelSource stopping_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::set<std::string> to_publish_;
  std::thread thread_;
};

}  // namespace ingot::jobs
