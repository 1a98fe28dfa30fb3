#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/db/database.h"
#include "daemon/jobs/job_queue.h"
#include "proto/types.h"

namespace ingot::jobs {

// The rows of jobs, labels and artifacts. Every method is one transaction: when it returns ok, the change is durable.
class JobTable {
 public:
  JobTable(db::Database& database, base::Clock& clock) : database_(&database), clock_(&clock) {}

  struct Inserted {
    proto::Job job;
    bool existed = false;  // the idempotency key named an earlier job
  };
  // `before_commit` is called with a new job's id before anybody can see it; without its consent there is no job.
  using BeforeCommit = std::function<Status(const std::string& id)>;
  Result<Inserted> insert(const proto::JobSpec& spec, const proto::Submitter& submitter, const std::string& retry_of,
                          std::uint64_t max_queued, const BeforeCommit& before_commit = {});

  // The queued job whose turn it is, now running; none when nothing may run.
  enum class Which { any, no_cells };
  Result<std::optional<proto::Job>> claim(Which which = Which::any);
  Status finish(const std::string& id, proto::JobState state, const std::optional<Error>& error);
  Status requeue(const std::string& id);
  // A queued job is canceled at once; of a running one only the request is recorded. Kind `conflict` when it has ended.
  Result<proto::Job> request_cancel(const std::string& id);
  // Ids that were running when the last daemon ended, now queued again or, if their cancellation was asked for,
  // canceled.
  Result<std::vector<proto::Job>> recover();

  Status add_artifacts(const std::string& id, std::vector<proto::Artifact>& artifacts);  // fills in their ids

  Status record_images(const std::string& id, const std::vector<proto::FromImage>& images);
  Status record_repositories(const std::string& id, const std::vector<proto::FromRepository>& repositories);

  Result<proto::Job> find(const std::string& id_or_prefix) const;
  Result<std::set<std::string>> unfinished() const;  // their ids
  Result<std::vector<proto::Job>> list(const JobFilter& filter) const;
  Result<std::vector<proto::Artifact>> artifacts(const std::string& id) const;
  Result<std::vector<proto::ImageInfo>> images(std::size_t most) const;
  Result<JobQueue::Counts> counts() const;

 private:
  Result<proto::Job> find_exact(const std::string& id) const;

  db::Database* database_;
  base::Clock* clock_;
};

}  // namespace ingot::jobs
