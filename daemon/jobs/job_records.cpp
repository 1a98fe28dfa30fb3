#include "daemon/jobs/job_records.h"

namespace ingot::jobs {

using proto::JobState;

void JobRecords::end(const std::string& id, const proto::JobSpec& spec, JobState state,
                     const std::optional<Error>& error) {
  if (!spec.secret_names.empty()) vault.remove(id);
  logs.end(id, state, error);
  if (ended) ended(id);
}

void JobRecords::count_end(JobState state) {
  if (state == JobState::succeeded) ++counters.succeeded;
  if (state == JobState::failed) ++counters.failed;
  if (state == JobState::canceled) ++counters.canceled;
}

}  // namespace ingot::jobs
