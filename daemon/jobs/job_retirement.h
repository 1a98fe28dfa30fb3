#pragma once

#include "daemon/jobs/job_records.h"
#include "daemon/jobs/job_workers.h"
#include "daemon/jobs/retention.h"

namespace ingot::jobs {

// Gives up what ended jobs left: rows and logs together. Thread-safe.
class JobRetirement {
 public:
  JobRetirement(db::Database& database, JobRecords& records, const JobWorkers& workers)
      : table_(database), records_(records), workers_(workers) {}

  // See JobQueue.
  Result<Retired> retire(const RetentionPolicy& policy);
  Result<proto::Artifact> remove_artifact(const std::string& id, const std::string& artifact);

 private:
  Result<bool> retire_jobs(std::int64_t before_ms, std::uint64_t max_jobs, Retired& retired);
  Result<bool> retire_logs(std::int64_t before_ms, Retired& retired);
  // Those of them that nobody of this daemon still works on, ended or not.
  std::vector<std::string> idle(std::vector<std::string> ids) const;

  RetentionTable table_;
  JobRecords& records_;
  const JobWorkers& workers_;
};

}  // namespace ingot::jobs
