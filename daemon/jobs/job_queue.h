#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/mask.h"
#include "daemon/base/metrics.h"
#include "daemon/db/database.h"
#include "daemon/jobs/job_log.h"
#include "daemon/jobs/retention.h"
#include "daemon/jobs/step_table.h"
#include "daemon/sys/cancel.h"
#include "proto/image.h"
#include "proto/secrets.h"
#include "proto/sweep.h"
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

// What became of jobs since the daemon started.
struct JobCounters {
  std::atomic<std::uint64_t> succeeded = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> canceled = 0;
  std::atomic<std::uint64_t> saved_bytes = 0;  // of artifacts
  base::Histogram run_seconds{base::duration_bounds()};
  base::Histogram wait_seconds{base::duration_bounds()};  // in the queue, for their first start
};

// What a running job works with.
struct JobRun {
  proto::Job job;
  JobLog& log;
  sys::CancelToken cancel;
  std::shared_ptr<const proto::Secrets> secrets;  // the job's own; never null
  std::shared_ptr<const base::Mask> mask;         // hides them; null: there are none to hide
  std::set<std::string> lost_secrets;             // what it had: the host was restarted, or it repeats an ended job
  // Records artifacts durably, all at once, then tells the log.
  std::function<Status(std::vector<proto::Artifact>)> add_artifacts;
  // Keeps what was done about each step.
  std::function<Status(const std::vector<StepRecord>&)> record_steps;
  // Keeps what it started from.
  std::function<Status(const std::vector<proto::FromImage>&)> record_images;
  // Keeps which commits the names of repositories meant.
  std::function<Status(const std::vector<proto::FromRepository>&)> record_repositories;
  // Says that it waits for room on the disk, or no longer does.
  std::function<void(bool waits)> wait_for_disk = {};
  // What jobs before this one took, to guess what it will.
  const StepTable* history = nullptr;
  // While somebody has what this gives, another job may run beside it: this one waits for its client, who may well wait
  // for that one.
  std::function<std::shared_ptr<void>()> step_aside = {};
};
// The work itself, given by the composition root; called on a worker thread.
using RunJob = std::function<Status(JobRun&)>;
// Pushes an image under its name, once all cells of its sweep are done.
using PublishImage = std::function<Status(const proto::ImagePush& image, const sys::CancelToken& cancel)>;

// The durable queue: every change is a committed row before anyone hears of it. Thread-safe.
class JobQueue {
 public:
  // Puts jobs that were running when the last daemon ended back into the queue, with a note in their log.
  static Result<std::unique_ptr<JobQueue>> open(db::Database& database, const fs::path& log_directory,
                                                QueueSettings settings, base::Clock& clock);
  ~JobQueue();

  // `sweep_ended` is called by whichever thread notes it, and returns soon.
  void start(
      RunJob run, PublishImage publish = {}, std::function<void()> sweep_ended = [] {});
  // Takes no new submissions and starts no queued job; returns when all running ones have ended, or after
  // `patience`, when the rest is interrupted and goes back to the queue for the next daemon.
  void drain(std::chrono::milliseconds patience);

  // Kind `conflict` when the key was used for a different specification, `unavailable` while draining or
  // full. The secrets are kept as long as the job lives; of a submission that is repeated, the first one's are.
  Result<proto::Job> submit(proto::JobSpec spec, const proto::Submitter& submitter, const proto::Secrets& secrets = {});
  Result<proto::Job> retry(const std::string& id, const proto::Submitter& submitter);

  // All cells of a sweep, or none. An equal sweep that runs already is the answer in place of a second one.
  Result<proto::Sweep> submit_sweep(const proto::SweepSpec& spec, const proto::Submitter& submitter,
                                    const proto::Secrets& secrets);
  Result<std::vector<proto::CellForecast>> forecast(const proto::SweepSpec& spec) const;
  Result<proto::Sweep> find_sweep(const std::string& id, bool with_cells) const;
  Result<std::string> sweep_by_key(std::uint32_t uid, const std::string& key) const;  // its id; empty: there is none
  Result<std::vector<proto::Sweep>> sweeps(std::size_t most) const;
  Result<proto::Sweep> cancel_sweep(const std::string& id);
  // The secrets are those of the new jobs: the first ones' are gone.
  Result<proto::Sweep> retry_sweep(const std::string& id, bool failed_only, const proto::Submitter& submitter,
                                   const proto::Secrets& secrets);
  Result<proto::Job> cancel(const std::string& id);
  // `id` may be an unambiguous beginning of 3 or more characters.
  Result<proto::Job> find(const std::string& id) const;
  Result<std::vector<proto::Job>> list(const JobFilter& filter) const;
  Result<std::vector<proto::Artifact>> artifacts(const std::string& id) const;
  // Every step of a job, and why it ran.
  Result<std::vector<proto::StepReport>> steps(const std::string& id) const;
  // What jobs made, the latest first; of equal names with equal content only that. Sizes are left out.
  Result<std::vector<proto::ImageInfo>> images(std::size_t most) const;

  // Gives up the bytes of one artifact of an ended job; the row stays and says so.
  Result<proto::Artifact> remove_artifact(const std::string& job, const std::string& artifact);
  // Gives up what is older than the policy allows. Jobs that wait or run are never touched.
  Result<Retired> retire(const RetentionPolicy& policy);
  std::uint64_t log_bytes() const;  // of all logs

  Result<LogReader> read_log(const std::string& id, std::uint64_t from_seq) const;
  // The live log of a job that has not ended; null for one that has.
  std::shared_ptr<JobLog> live_log(const std::string& id) const;

  void set_workers(unsigned workers);  // takes effect as jobs end
  struct Counts {
    std::uint64_t queued = 0;
    std::uint64_t running = 0;
  };
  Counts counts() const;
  const JobCounters& counters() const;

 private:
  struct State;
  explicit JobQueue(std::unique_ptr<State> state);
  void announce(const std::string& id);  // a job that was just made: its log, and the workers
  std::unique_ptr<State> state_;
};

}  // namespace ingot::jobs
