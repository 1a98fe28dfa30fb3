#include "daemon/jobs/retention.h"

#include <fmt/format.h>

#include "daemon/base/strings.h"

namespace ingot::jobs {

namespace {

constexpr int kBatch = 100;
// What a sweep's cells made is needed until it has ended: it may be published then.
constexpr std::string_view kOfNoOpenSweep =
    "(sweep IS NULL OR sweep NOT IN (SELECT seq FROM sweeps WHERE finished_ms IS NULL))";

}  // namespace

Result<std::vector<std::string>> RetentionTable::ids(const std::string& sql, std::int64_t parameter) const {
  std::vector<std::string> found;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare(sql));
    query.bind(1, parameter);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      found.push_back(query.text(0));
    }
  }));
  return found;
}

Result<std::vector<std::string>> RetentionTable::expired_jobs(std::int64_t before_ms, std::uint64_t max_jobs,
                                                              std::int64_t now_ms) const {
  INGOT_TRY(auto of_sweeps,
            ids(fmt::format("SELECT j.id FROM sweeps s JOIN jobs j ON j.sweep = s.seq WHERE s.keep_jobs_ms "
                            "> 0 AND s.finished_ms + s.keep_jobs_ms < ? AND j.finished_ms IS NOT NULL "
                            "LIMIT {}",
                            kBatch),
                now_ms));
  if (!of_sweeps.empty()) return of_sweeps;
  INGOT_TRY(auto old, ids(fmt::format("SELECT id FROM jobs WHERE finished_ms < ? AND {} ORDER BY finished_ms LIMIT {}",
                                      kOfNoOpenSweep, kBatch),
                          before_ms));
  if (!old.empty() || max_jobs == 0) return old;
  return ids(fmt::format("SELECT id FROM jobs WHERE finished_ms IS NOT NULL AND {} ORDER BY finished_ms DESC, seq DESC "
                         "LIMIT {} OFFSET ?",
                         kOfNoOpenSweep, kBatch),
             static_cast<std::int64_t>(max_jobs));
}

Status RetentionTable::forget_jobs(const std::vector<std::string>& jobs) {
  return database_.transaction([&]() -> Status {
    for (const auto& id : jobs) INGOT_CHECK(forget_job(id));
    return {};
  });
}

// Its steps go with it. What only their keys were made of goes too: a recipe's parts are the same for many jobs.
Status RetentionTable::forget_job(const std::string& id) {
  std::vector<std::string> parts;
  {
    INGOT_TRY(auto query, database_.prepare("SELECT DISTINCT s.parts FROM job_steps s JOIN jobs j ON j.seq = s.job "
                                            "WHERE j.id = ? AND j.finished_ms IS NOT NULL"));
    query.bind(1, id);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) break;
      parts.push_back(query.text(0));
    }
  }
  const std::string ended = "(SELECT seq FROM jobs WHERE id = ? AND finished_ms IS NOT NULL)";
  for (const auto& statement :
       {std::string("UPDATE jobs SET retry_of = NULL WHERE retry_of = ?"), "DELETE FROM artifacts WHERE job = " + ended,
        "DELETE FROM job_labels WHERE job = " + ended,
        std::string("DELETE FROM jobs WHERE id = ? AND finished_ms IS NOT NULL")}) {
    INGOT_TRY(auto prepared, database_.prepare(statement));
    INGOT_CHECK(prepared.bind(1, id).run());
  }
  for (const auto& digest : parts) {
    INGOT_TRY(auto deletion, database_.prepare("DELETE FROM step_parts WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM "
                                               "job_steps WHERE parts = ?1)"));
    INGOT_CHECK(deletion.bind(1, digest).run());
  }
  return {};
}

Result<std::vector<std::string>> RetentionTable::expired_logs(std::int64_t before_ms) const {
  return ids(fmt::format("SELECT id FROM jobs WHERE finished_ms < ? AND log_removed_ms IS NULL ORDER BY finished_ms "
                         "LIMIT {}",
                         kBatch),
             before_ms);
}

Status RetentionTable::note_removed_logs(const std::vector<std::string>& jobs, std::int64_t now_ms) {
  return database_.transaction([&]() -> Status {
    for (const auto& id : jobs) {
      INGOT_TRY(auto update, database_.prepare("UPDATE jobs SET log_removed_ms = ? WHERE id = ?"));
      INGOT_CHECK(update.bind(1, now_ms).bind(2, id).run());
    }
    return {};
  });
}

Result<std::uint64_t> RetentionTable::remove_artifacts(std::int64_t before_ms, std::int64_t now_ms) {
  return remove_artifacts(fmt::format("SELECT DISTINCT a.job FROM artifacts a JOIN jobs j ON j.seq = a.job WHERE "
                                      "a.removed_ms IS NULL AND j.finished_ms < ?2 AND {} LIMIT {}",
                                      kOfNoOpenSweep, kBatch),
                          before_ms, now_ms);
}

Result<std::uint64_t> RetentionTable::remove_artifacts_of_sweeps(std::int64_t now_ms) {
  return remove_artifacts(
      fmt::format("SELECT DISTINCT a.job FROM sweeps s JOIN jobs j ON j.sweep = s.seq JOIN artifacts a "
                  "ON a.job = j.seq WHERE s.keep_artifacts_ms > 0 AND s.finished_ms + "
                  "s.keep_artifacts_ms < ?2 AND j.finished_ms IS NOT NULL AND a.removed_ms IS NULL "
                  "LIMIT {}",
                  kBatch),
      now_ms, now_ms);
}

Result<std::uint64_t> RetentionTable::remove_artifacts(const std::string& jobs, std::int64_t parameter,
                                                       std::int64_t now_ms) {
  std::uint64_t removed = 0;
  INGOT_CHECK(database_.transaction([&]() -> Status {
    INGOT_TRY(
        auto update,
        database_.prepare("UPDATE artifacts SET removed_ms = ?1 WHERE removed_ms IS NULL AND job IN (" + jobs + ")"));
    INGOT_CHECK(update.bind(1, now_ms).bind(2, parameter).run());
    removed = static_cast<std::uint64_t>(database_.changes());
    return {};
  }));
  return removed;
}

Status RetentionTable::remove_artifact(const proto::Job& job, const std::string& artifact, std::int64_t now_ms) {
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto open, database_.prepare("SELECT 1 FROM jobs j JOIN sweeps s ON s.seq = j.sweep WHERE j.id = ? AND "
                                           "s.finished_ms IS NULL"));
    INGOT_TRY(const bool is_needed, open.bind(1, job.id).step());
    if (is_needed) {
      return base::fail(ErrorKind::conflict,
                        fmt::format("job {} is a cell of sweep {}, which has not ended", job.id, job.sweep),
                        "`ingot sweep cancel " + job.sweep + "` ends it");
    }
    // Asked once more: the job that was found is as old as the question.
    INGOT_TRY(auto query,
              database_.prepare("SELECT a.removed_ms IS NOT NULL, j.finished_ms IS NOT NULL FROM jobs j LEFT JOIN "
                                "artifacts a ON a.job = j.seq AND CAST(a.number AS TEXT) = ? WHERE j.id = ?"));
    INGOT_TRY(bool found, query.bind(1, artifact).bind(2, job.id).step());
    if (!found) return base::fail(ErrorKind::not_found, "there is no job \"" + job.id + "\"");
    if (query.number(1) == 0) {
      return base::fail(ErrorKind::conflict,
                        fmt::format("job {} has not ended; its artifacts cannot be removed yet", job.id),
                        "`ingot wait " + job.id + "`, or `ingot cancel " + job.id + "` first");
    }
    INGOT_TRY(auto update,
              database_.prepare("UPDATE artifacts SET removed_ms = ? WHERE removed_ms IS NULL AND CAST(number AS TEXT) "
                                "= ? AND job = (SELECT seq FROM jobs WHERE id = ?)"));
    INGOT_CHECK(update.bind(1, now_ms).bind(2, artifact).bind(3, job.id).run());
    return {};
  });
}

}  // namespace ingot::jobs
