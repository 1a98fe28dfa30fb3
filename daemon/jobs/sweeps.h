#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
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

  // Takes up what an earlier daemon left. `ended` is called when a sweep has, by whichever thread noted it.
  void start(PublishImage publish, std::function<void()> ended);
  void stop();

  void submitted(const proto::Sweep& sweep);  // or repeated
  // A job's end is recorded; of one that is in no sweep nothing follows.
  void job_ended(const std::string& job);
  Status cancel(const std::string& id);

 private:
  // A sweep whose images go to their registries.
  struct Publishing {
    std::size_t done = 0;
    std::int64_t next_ms = 0;           // when it is tried again
    std::int64_t failing_since_ms = 0;  // 0: it does not fail
    std::int64_t pause_ms = 0;
    std::shared_ptr<sys::CancelSource> cancel = std::make_shared<sys::CancelSource>();
  };

  void settle(const std::string& sweep);
  void act(const std::string& sweep, const SweepTable::Settled& settled);
  void watch();    // a thread
  void publish();  // a thread
  void publish_one(const std::string& sweep, Publishing& state);
  // Whether it is worth another attempt, later.
  bool put_off(const std::string& sweep, Publishing& state, const Error& error);
  bool is_publishing(const std::string& sweep) const;

  SweepTable& table_;
  base::Clock& clock_;
  const Hands hands_;
  PublishImage publish_;
  std::function<void()> ended_ = [] {};  // a queue that was not started has sweeps, too

  std::mutex mutex_;  // guards all below; never held while the database or a registry is asked
  std::condition_variable changed_;
  bool stop_ = false;
  bool is_new_ = false;  // there is a sweep that nobody looked at
  std::map<std::string, Publishing> publishing_;
  std::vector<std::thread> threads_;
};

}  // namespace ingot::jobs
