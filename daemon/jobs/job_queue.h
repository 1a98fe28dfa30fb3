#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/mask.h"
#include "daemon/db/database.h"
#include "daemon/jobs/job_log.h"
#include "daemon/jobs/step_table.h"
#include "daemon/sys/cancel.h"
#include "proto/image.h"
#include "proto/secrets.h"
#include "proto/types.h"

namespace ingot::jobs {

struct QueueSettings {
  unsigned workers = 2;  // jobs that run at the same time
  std::uint64_t max_queued = 100'000;
  std::uint64_t max_log_bytes = 64ULL << 20;
  std::uint64_t default_timeout_seconds = 0;  // 0: none
  fs::path secrets;                           // where those of jobs are kept; see SecretVault
};

struct JobFilter {
  std::optional<proto::JobState> state;
  std::map<std::string, std::string> labels;
  std::size_t limit = 100;  // newest first
};

// What a running job works with.
struct JobRun {
  proto::Job job;
  JobLog& log;
  sys::CancelToken cancel;
  std::shared_ptr<const proto::Secrets> secrets;  // the job's own; never null
  std::shared_ptr<const base::Mask> mask;         // hides them; null: there are none to hide
  std::set<std::string> lost_secrets;             // what it had: the host was restarted, or it repeats an ended job
  // Records an artifact durably, then tells the log.
  std::function<Status(proto::Artifact)> add_artifact;
  // Keeps what was done about each step.
  std::function<Status(const std::vector<StepRecord>&)> record_steps;
};
// The work itself, given by the composition root; called on a worker thread.
using RunJob = std::function<Status(JobRun&)>;

// The durable queue: every change is a committed row before anyone hears of it. Thread-safe.
class JobQueue {
 public:
  // Puts jobs that were running when the last daemon ended back into the queue, with a note in their log.
  static Result<std::unique_ptr<JobQueue>> open(db::Database& database, const fs::path& log_directory,
                                                QueueSettings settings, base::Clock& clock);
  ~JobQueue();

  void start(RunJob run);
  // Takes no new submissions and starts no queued job; returns when all running ones have ended, or after
  // `patience`, when the rest is interrupted and goes back to the queue for the next daemon.
  void drain(std::chrono::milliseconds patience);

  // Kind `conflict` when the key was used for a different specification, `unavailable` while draining or
  // full. The secrets are kept as long as the job lives; of a submission that is repeated, the first one's are.
  Result<proto::Job> submit(proto::JobSpec spec, const proto::Submitter& submitter, const proto::Secrets& secrets = {});
  Result<proto::Job> retry(const std::string& id, const proto::Submitter& submitter);
  Result<proto::Job> cancel(const std::string& id);
  // `id` may be an unambiguous beginning of 3 or more characters.
  Result<proto::Job> find(const std::string& id) const;
  Result<std::vector<proto::Job>> list(const JobFilter& filter) const;
  Result<std::vector<proto::Artifact>> artifacts(const std::string& id) const;
  // Every step of a job, and why it ran.
  Result<std::vector<proto::StepReport>> steps(const std::string& id) const;
  // What jobs made, the latest first; of equal names with equal content only that. Sizes are left out.
  Result<std::vector<proto::ImageInfo>> images(std::size_t most) const;

  Result<LogReader> read_log(const std::string& id, std::uint64_t from_seq) const;
  // The live log of a job that has not ended; null for one that has.
  std::shared_ptr<JobLog> live_log(const std::string& id) const;

  void set_workers(unsigned workers);  // takes effect as jobs end
  struct Counts {
    std::uint64_t queued = 0;
    std::uint64_t running = 0;
  };
  Counts counts() const;

 private:
  struct State;
  explicit JobQueue(std::unique_ptr<State> state);
  void announce(const std::string& id);  // a job that was just made: its log, and the workers
  std::unique_ptr<State> state_;
};

}  // namespace ingot::jobs
