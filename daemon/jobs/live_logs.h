#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/jobs/job_log.h"

namespace ingot::jobs {

// The logs of all jobs. Of one that has not ended, who writes it and who follows it share one object, as long as either
// has it. Thread-safe.
class LiveLogs {
 public:
  LiveLogs(fs::path directory, std::uint64_t max_output_bytes, base::Clock& clock)
      : directory_(std::move(directory)), max_output_bytes_(max_output_bytes), clock_(clock) {}

  // For who writes or follows the log of a job that has not ended.
  Result<std::shared_ptr<JobLog>> open(const std::string& id);
  // Null when nobody has it open.
  std::shared_ptr<JobLog> find(const std::string& id) const;
  // One event more. A log that cannot be opened is told in the daemon's own.
  void tell(const std::string& id, proto::Event event);
  // The last event, after which followers stop.
  void end(const std::string& id, proto::JobState state, const std::optional<Error>& error);

  Result<LogReader> read(const std::string& id, std::uint64_t from_seq) const;
  // Of a job that has ended: its log has an end, if it has to be given one. By one thread at a time.
  Result<LogReader> read_ended(const proto::Job& job, std::uint64_t from_seq) const;

  // Of ended jobs: the whole log; and all but a note of why, with the job's end.
  void remove(const std::string& id) const;
  Status shorten(const proto::Job& job, const std::string& note) const;

  // Adds what an earlier daemon left; once, before the first log is opened.
  void count() const;
  std::uint64_t bytes() const { return *bytes_; }

 private:
  fs::path path_of(const std::string& id) const { return directory_ / (id + ".ndjson"); }

  const fs::path directory_;
  const std::uint64_t max_output_bytes_;
  base::Clock& clock_;
  const JobLog::Total bytes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<JobLog>> open_;  // of jobs that have not ended, while somebody uses them
};

}  // namespace ingot::jobs
