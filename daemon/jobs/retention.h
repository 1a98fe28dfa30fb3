#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/db/database.h"
#include "proto/types.h"

namespace ingot::jobs {

// How long what ended jobs left is kept, since their end. 0: for ever.
struct RetentionPolicy {
  std::int64_t jobs_ms = 0;       // all of a job: its row, log and artifacts
  std::int64_t logs_ms = 0;       // its log
  std::int64_t artifacts_ms = 0;  // the bytes of its artifacts
  std::uint64_t max_jobs = 0;     // ended jobs; the oldest go first
};

struct Retired {
  std::uint64_t jobs = 0;
  std::uint64_t logs = 0;
  std::uint64_t artifacts = 0;
};

// The rows of what is to go. Nothing here touches a job that has not ended: every statement asks for its end. A few at
// a time, so that nobody waits long for the database.
class RetentionTable {
 public:
  explicit RetentionTable(db::Database& database) : database_(database) {}

  // Ended jobs that ended before that time, or are not among the `max_jobs` latest, the oldest first; or those of a
  // sweep that does not want them kept until now.
  Result<std::vector<std::string>> expired_jobs(std::int64_t before_ms, std::uint64_t max_jobs,
                                                std::int64_t now_ms) const;
  Status forget_jobs(const std::vector<std::string>& ids);

  Result<std::vector<std::string>> expired_logs(std::int64_t before_ms) const;
  Status note_removed_logs(const std::vector<std::string>& ids, std::int64_t now_ms);

  // Notes artifacts of jobs that ended before that time as removed; how many. The blobs are the sweeper's.
  Result<std::uint64_t> remove_artifacts(std::int64_t before_ms, std::int64_t now_ms);
  // The same of jobs of sweeps that do not want them kept until now.
  Result<std::uint64_t> remove_artifacts_of_sweeps(std::int64_t now_ms);
  // One of an ended job; kind `conflict` while the job goes on. One that was removed already stays as it is.
  Status remove_artifact(const proto::Job& job, const std::string& artifact, std::int64_t now_ms);

 private:
  Status forget_job(const std::string& id);
  Result<std::vector<std::string>> ids(const std::string& sql, std::int64_t parameter) const;
  Result<std::uint64_t> remove_artifacts(const std::string& jobs, std::int64_t parameter, std::int64_t now_ms);

  db::Database& database_;
};

}  // namespace ingot::jobs
