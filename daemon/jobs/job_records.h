#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "daemon/jobs/job_queue.h"
#include "daemon/jobs/job_table.h"
#include "daemon/jobs/live_logs.h"
#include "daemon/jobs/secret_vault.h"
#include "daemon/jobs/step_table.h"
#include "daemon/jobs/sweep_table.h"

namespace ingot::jobs {

// All that is kept of jobs, and what the queue, its workers and its retention share.
struct JobRecords {
  JobRecords(db::Database& database, const fs::path& log_directory, const QueueSettings& settings, base::Clock& time)
      : table(database, time),
        sweeps(database, time),
        steps(database),
        vault(settings.secrets),
        logs(log_directory, settings.max_log_bytes, time),
        clock(time) {}

  // What a job ends with, once its row says so: its secrets go, then its last event comes.
  void end(const std::string& id, const proto::JobSpec& spec, proto::JobState state, const std::optional<Error>& error);
  // A job whose final state was recorded just now.
  void count_end(proto::JobState state);

  JobTable table;
  SweepTable sweeps;
  StepTable steps;
  SecretVault vault;
  LiveLogs logs;
  base::Clock& clock;
  JobCounters counters;
  std::function<void(const std::string& job)> ended;  // is told of each job whose end is recorded; set before any runs
  // Held from a new row to its first event, and while a worker claims or a cancellation ends a queued job: a log begins
  // with "queued" and nothing is written behind its end. Taken before the workers' own.
  std::mutex birth;
};

}  // namespace ingot::jobs
