#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/jobs/deadlines.h"
#include "daemon/jobs/job_records.h"

namespace ingot::jobs {

// The threads that run jobs: each takes the next one whenever it has none. Thread-safe.
class JobWorkers {
 public:
  JobWorkers(JobRecords& records, std::uint64_t default_timeout_seconds)
      : records_(records), default_timeout_seconds_(default_timeout_seconds) {}
  ~JobWorkers();  // interrupts what runs
  JobWorkers(const JobWorkers&) = delete;
  JobWorkers& operator=(const JobWorkers&) = delete;

  void start(RunJob run, unsigned count);
  void set_count(unsigned count);  // takes effect as jobs end
  void wake();                     // there is a new job
  // See JobQueue.
  void drain(std::chrono::milliseconds patience);
  bool is_draining() const;

  // Of a job that may be running.
  void cancel(const std::string& id);
  bool has(const std::string& id) const;
  std::string phase_of(const std::string& id) const;  // as proto::Job has it

 private:
  struct Running {
    sys::CancelSource cancel;
    std::string phase;
    bool timed_out = false;
    bool interrupted = false;  // the daemon stops: back to the queue
  };

  void work();
  void run_one(const proto::Job& job);
  std::shared_ptr<Running> begin(const proto::Job& job);
  Deadlines::Id set_deadline(const proto::Job& job, const std::shared_ptr<Running>& running);
  void run_with_log(const proto::Job& job, const std::shared_ptr<Running>& running, Deadlines::Id deadline,
                    JobLog& log);
  std::shared_ptr<void> step_aside();
  void have_threads();                                                           // under the lock
  unsigned most_busy() const { return wanted_ + std::min(kMostAside, aside_); }  // under the lock
  // Somebody's single job does not wait for cells of sweeps, which may take hours: one more runs beside them.
  bool has_cells_only() const { return busy_ > 0 && busy_ == most_busy() && cells_ == busy_; }  // under the lock
  Status take_secrets(JobRun& job_run);
  Status finish(const std::string& id, proto::JobState state, const std::optional<Error>& error);
  void settle(const proto::Job& job, const Running& running, JobLog& job_log, Status outcome);
  std::uint64_t limit_of(const proto::Job& job) const;  // in seconds; 0: none

  // Of jobs that stepped aside so many are made up for: each is a thread more.
  static constexpr unsigned kMostAside = 64;
  static constexpr unsigned kBesideSweeps = 1;

  JobRecords& records_;
  const std::uint64_t default_timeout_seconds_;
  Deadlines deadlines_;
  RunJob run_;

  mutable std::mutex mutex_;  // guards all below; never held while the database or a job works
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Running>> running_;
  std::uint64_t wakeups_ = 0;  // raised with each submission, so that none is slept through
  unsigned busy_ = 0;          // workers that look for a job or have one: a job is nobody's only between two of these
  unsigned cells_ = 0;         // of those, jobs of sweeps
  bool draining_ = false;
  bool stopping_ = false;
  unsigned wanted_ = 0;
  unsigned aside_ = 0;  // jobs that stepped aside, in whose place others run
  std::vector<std::thread> threads_;
};

}  // namespace ingot::jobs
