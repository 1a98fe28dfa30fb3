#include "daemon/jobs/job_retirement.h"

#include <fmt/format.h>

#include "daemon/base/strings.h"

namespace ingot::jobs {

std::vector<std::string> JobRetirement::idle(std::vector<std::string> ids) const {
  std::erase_if(ids, [&](const std::string& id) { return workers_.has(id) || records_.logs.find(id) != nullptr; });
  return ids;
}

// One batch; false when there is none. The log goes first: a log without a job would be nobody's, a job without a log
// goes with the next batch.
Result<bool> JobRetirement::retire_jobs(std::int64_t before_ms, std::uint64_t max_jobs, Retired& retired) {
  std::lock_guard born(records_.birth);  // nobody repeats one of them meanwhile
  INGOT_TRY(auto expired, table_.expired_jobs(before_ms, max_jobs, records_.clock.unix_ms()));
  const auto ids = idle(std::move(expired));
  if (ids.empty()) return false;
  for (const auto& id : ids) records_.logs.remove(id);
  INGOT_CHECK(table_.forget_jobs(ids));
  retired.jobs += ids.size();
  return true;
}

Result<bool> JobRetirement::retire_logs(std::int64_t before_ms, Retired& retired) {
  INGOT_TRY(auto expired, table_.expired_logs(before_ms));
  const auto ids = idle(std::move(expired));
  if (ids.empty()) return false;
  for (const auto& id : ids) {
    INGOT_TRY(auto job, records_.table.find(id));
    INGOT_CHECK(records_.logs.shorten(
        job, "this log was removed for its age (retention.logs); `ingot retry " + id + "` runs the job again"));
  }
  INGOT_CHECK(table_.note_removed_logs(ids, records_.clock.unix_ms()));
  retired.logs += ids.size();
  return true;
}

Result<Retired> JobRetirement::retire(const RetentionPolicy& policy) {
  constexpr std::int64_t kNever = 0;  // no job ended before the epoch
  const std::int64_t now = records_.clock.unix_ms();
  const auto before = [&](std::int64_t age_ms) { return age_ms == 0 ? kNever : now - age_ms; };
  Retired retired;
  while (true) {
    INGOT_TRY(bool more, retire_jobs(before(policy.jobs_ms), policy.max_jobs, retired));
    if (!more) break;
  }
  INGOT_CHECK(records_.sweeps.forget(before(policy.jobs_ms)));
  while (policy.logs_ms != 0) {
    INGOT_TRY(bool more, retire_logs(before(policy.logs_ms), retired));
    if (!more) break;
  }
  while (true) {
    INGOT_TRY(const auto removed, table_.remove_artifacts_of_sweeps(now));
    if (removed == 0) break;
    retired.artifacts += removed;
  }
  while (policy.artifacts_ms != 0) {
    INGOT_TRY(auto removed, table_.remove_artifacts(before(policy.artifacts_ms), now));
    if (removed == 0) break;
    retired.artifacts += removed;
  }
  return retired;
}

Result<proto::Artifact> JobRetirement::remove_artifact(const std::string& id, const std::string& artifact) {
  INGOT_TRY(auto job, records_.table.find(id));
  INGOT_CHECK(table_.remove_artifact(job, artifact, records_.clock.unix_ms()));
  INGOT_TRY(auto all, records_.table.artifacts(job.id));
  for (auto& row : all) {
    if (row.id == artifact) return std::move(row);
  }
  return base::fail(ErrorKind::not_found,
                    fmt::format("job {} has no artifact \"{}\"", job.id, base::printable(artifact)),
                    "`ingot artifacts ls " + job.id + "` lists them");
}

}  // namespace ingot::jobs
