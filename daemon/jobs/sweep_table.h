#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/db/database.h"
#include "daemon/jobs/job_queue.h"
#include "proto/image.h"
#include "proto/sweep.h"
#include "proto/types.h"

namespace ingot::jobs {

// The rows of sweeps and of their cells. Every method is one transaction: when it returns ok, the change is durable.
class SweepTable {
 public:
  SweepTable(db::Database& database, base::Clock& clock) : database_(&database), clock_(&clock) {}

  // A sweep with a job for each cell, or nothing. An equal one of the same submitter that has not ended is the answer
  // instead, and so is the one that has the idempotency key.
  // `before_commit` is called with each new job's id; without its consent there is no sweep.
  using BeforeCommit = std::function<Status(const std::string& job)>;
  Result<proto::Sweep> insert(const proto::SweepSpec& spec, const proto::Submitter& submitter, std::uint64_t max_queued,
                              const BeforeCommit& before_commit = {});

  Result<proto::Sweep> find(const std::string& id_or_prefix, bool with_cells) const;
  // The sweep that a user submitted by that key; empty: none.
  Result<std::string> by_key(std::uint32_t uid, const std::string& key) const;
  Result<std::vector<proto::Sweep>> list(std::size_t most) const;  // the latest first, without cells
  Result<std::vector<proto::CellForecast>> forecast(const proto::SweepSpec& spec) const;

  // What follows from the states of the cells: cells that are no longer wanted are canceled, and a sweep whose cells
  // have all ended has, too.
  struct Settled {
    proto::SweepState state = proto::SweepState::running;
    std::vector<std::string> canceled;   // jobs that were queued
    std::vector<std::string> to_cancel;  // jobs that run
    bool is_released = false;            // the base is there: there is work
  };
  Result<Settled> settle(const std::string& sweep);
  Result<Settled> cancel(const std::string& id, const std::string& reason, bool asked);
  Result<std::string> sweep_of(const std::string& job) const;  // its id; empty: the job is by itself
  struct Active {
    std::string id;
    std::int64_t deadline_ms = 0;  // 0: none
  };
  Result<std::vector<Active>> active() const;

  // New jobs for the cells that failed or were canceled, or for all that have ended. Kind `conflict` where there is
  // none.
  Result<proto::Sweep> retry(const std::string& id, bool failed_only, const proto::Submitter& submitter,
                             std::uint64_t max_queued, const BeforeCommit& before_commit = {});

  // Those of its cells' images that say --push. Kind `not_found` where one of them is there no more.
  Result<std::vector<proto::ImagePush>> images_to_publish(const std::string& id) const;
  Status end_publishing(const std::string& id, const Status& outcome);

  // Ended before this.
  Status forget(std::int64_t before_ms);

 private:
  struct Progress {
    proto::SweepState state = proto::SweepState::running;
    bool is_held = false;
    bool is_canceled = false;  // somebody asked for it
    bool publishes = false;
    std::int64_t stop_after = 0;
    std::int64_t disk_bytes = 0;
    std::optional<proto::JobState> base;
    // Of cells, by their states.
    std::int64_t queued = 0;
    std::int64_t running = 0;
    std::int64_t failed = 0;
    std::int64_t canceled = 0;
    std::int64_t bytes = 0;
  };
  Result<Progress> progress(std::int64_t sweep) const;
  static std::string reason_to_stop(const Progress& now);
  Status settle(std::int64_t sweep, Settled& settled);  // in a transaction
  Status check_retry(std::int64_t sweep, const proto::Sweep& row, std::uint64_t max_queued) const;
  Status repeat_cell(std::int64_t sweep, const proto::SweepCell& cell, const proto::Submitter& submitter,
                     const BeforeCommit& before_commit);
  Result<proto::Sweep> read(std::int64_t seq, bool with_cells) const;
  Result<std::int64_t> seq_of(const std::string& id_or_prefix) const;
  Status insert_cells(std::int64_t sweep, const proto::SweepSpec& spec, const proto::Submitter& submitter,
                      const BeforeCommit& before_commit);
  Result<std::string> insert_job(std::int64_t sweep, int number, const proto::JobSpec& job,
                                 const proto::Submitter& submitter, const std::string& retry_of);
  Status cancel_queued(std::int64_t sweep, const std::string& reason, Settled& settled);
  Result<std::vector<std::string>> jobs_in(std::int64_t sweep, const char* state) const;

  db::Database* database_;
  base::Clock* clock_;
};

// What of a cell's job decides what it makes: equal ones of two sweeps are the same work.
std::string digest_of(const proto::JobSpec& job);
// The specification of one cell's job.
proto::JobSpec job_of(const proto::SweepSpec& spec, const proto::SweepCellSpec& cell);

}  // namespace ingot::jobs
