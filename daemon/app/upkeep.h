#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/jobs/job_queue.h"
#include "daemon/solver/solver.h"
#include "daemon/store/blobs.h"
#include "daemon/store/collector.h"
#include "daemon/store/sweeper.h"

namespace ingot::app {

// Gives up what is old and removes what nobody needs, on a thread of its own that sleeps nearly always.
class Upkeep {
 public:
  struct Parts {
    jobs::JobQueue& queue;
    store::BlobStore& blobs;
    store::Sweeper& sweeper;
    store::Collector& collector;
    store::SnapshotStore& snapshots;
    solver::Solver& solver;
  };
  Upkeep(const Parts& parts, const jobs::RetentionPolicy& policy, std::chrono::milliseconds interval);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  void wake();  // something was given up by hand
  void set_policy(const jobs::RetentionPolicy& policy, std::chrono::milliseconds interval);

 private:
  void run();
  void round(const jobs::RetentionPolicy& policy);

  const Parts parts_;
  std::mutex mutex_;  // guards the next five
  jobs::RetentionPolicy policy_;
  std::chrono::milliseconds interval_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

// How often to look: a quarter of the shortest time, and at least once an hour.
std::chrono::milliseconds upkeep_interval(const jobs::RetentionPolicy& policy, const store::Sweeper::Settings& sweeper);

}  // namespace ingot::app
