#pragma once

#include <mutex>

#include "daemon/base/lookout.h"
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

  void wake() { lookout_.wake(); }  // something was given up by hand
  void set_policy(const jobs::RetentionPolicy& policy, std::chrono::milliseconds interval);

 private:
  void count();
  std::chrono::milliseconds round();  // until the next one

  const Parts parts_;
  std::mutex mutex_;  // guards the next two
  jobs::RetentionPolicy policy_;
  std::chrono::milliseconds interval_;
  base::Lookout lookout_;
};

// How often to look: a quarter of the shortest time, and at least once an hour.
std::chrono::milliseconds upkeep_interval(const jobs::RetentionPolicy& policy, const store::Sweeper::Settings& sweeper);

}  // namespace ingot::app
