#include "daemon/jobs/job_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::jobs {

namespace {

using base::fail;
using proto::JobState;

constexpr std::size_t kIdLength = 10;
constexpr std::size_t kShortestPrefix = 3;

// The columns that read_job expects, in its order. {} is a queued job's place.
constexpr std::string_view kColumns =
    "j.id, j.state, j.spec, j.submitter_uid, j.submitter_gid, j.submitter_user, j.retry_of, j.attempts, j.created_ms, "
    "j.started_ms, j.finished_ms, j.cancel_requested, j.error, {}, "
    "(SELECT json_group_array(json_object('name', name, 'digest', digest, 'source', source, 'platform', platform)) "
    "FROM "
    "(SELECT name, digest, source, platform FROM job_images WHERE job = j.seq ORDER BY number)), "
    "(SELECT json_group_array(json_object('name', name, 'ref', ref, 'commit', commit_id, 'url', url)) FROM "
    "(SELECT name, ref, commit_id, url FROM job_repositories WHERE job = j.seq ORDER BY number)), "
    "(SELECT id FROM sweeps WHERE seq = j.sweep), "
    "(SELECT name FROM sweep_cells WHERE sweep = j.sweep AND number = j.cell)";
// A single job's place is among those, a cell's among the cells of its sweep.
constexpr std::string_view kFrom =
    " FROM jobs j LEFT JOIN (SELECT seq, row_number() OVER (PARTITION BY sweep ORDER BY priority DESC, seq) AS place "
    "FROM jobs WHERE state = 'queued') q ON q.seq = j.seq ";
constexpr std::string_view kPlace = "coalesce(q.place, 0)";
// The same of one job, for which not all are numbered.
constexpr std::string_view kPlaceOfOne =
    "iif(j.state = 'queued', (SELECT count(*) FROM jobs b WHERE b.state = 'queued' AND b.sweep IS j.sweep AND "
    "(b.priority > j.priority OR (b.priority = j.priority AND b.seq <= j.seq))), 0)";

Result<nlohmann::json> parse_column(const std::string& text, const std::string& what) {
  auto parsed = proto::parse_json(text);
  if (!parsed) return fail(ErrorKind::internal, "the database holds a damaged " + what + ": " + parsed.error().message);
  return *parsed;
}

std::vector<std::string> platforms_of(const std::string& column) {
  return column.empty() ? std::vector<std::string>() : base::split(column, ',');
}

Result<proto::Job> read_job(const db::Statement& row) {
  proto::Job job;
  job.id = row.text(0);
  job.state = proto::job_state_from_name(row.text(1)).value_or(JobState::failed);
  INGOT_TRY(auto spec, parse_column(row.text(2), "specification of job " + job.id));
  INGOT_TRY(job.spec, proto::job_spec_from_json(spec));
  job.submitter.uid = static_cast<std::uint32_t>(row.number(3));
  job.submitter.gid = static_cast<std::uint32_t>(row.number(4));
  job.submitter.user = row.text(5);
  job.retry_of = row.text(6);
  job.attempts = static_cast<int>(row.number(7));
  job.created_ms = row.number(8);
  job.started_ms = row.number(9);
  job.finished_ms = row.number(10);
  job.cancel_requested = row.number(11) != 0;
  if (!row.is_null(12)) {
    INGOT_TRY(auto error, parse_column(row.text(12), "error of job " + job.id));
    job.error = proto::error_from_json(error);
  }
  job.queue_position = static_cast<int>(row.number(13));
  INGOT_TRY(auto images, parse_column(row.text(14), "list of images of job " + job.id));
  for (const auto& image : images) {
    INGOT_TRY(auto from, proto::from_image_from_json(image));
    job.from_images.push_back(std::move(from));
  }
  INGOT_TRY(auto repositories, parse_column(row.text(15), "list of repositories of job " + job.id));
  for (const auto& one : repositories) {
    INGOT_TRY(auto from, proto::from_repository_from_json(one));
    job.from_repositories.push_back(std::move(from));
  }
  job.sweep = row.text(16);
  job.cell = row.text(17);
  return job;
}

Error canceled_before_start() {
  Error error;
  error.kind = ErrorKind::canceled;
  error.message = "canceled before it started";
  return error;
}

}  // namespace

Result<proto::Job> JobTable::find_exact(const std::string& id) const {
  INGOT_TRY(auto query, database_->prepare(
                            fmt::format("SELECT {} FROM jobs j WHERE j.id = ?", fmt::format(kColumns, kPlaceOfOne))));
  query.bind(1, id);
  INGOT_TRY(bool found, query.step());
  if (!found) return fail(ErrorKind::not_found, "there is no job \"" + id + "\"", "`ingot ps --all` lists the jobs");
  return read_job(query);
}

Result<JobTable::Inserted> JobTable::insert(const proto::JobSpec& spec, const proto::Submitter& submitter,
                                            const std::string& retry_of, std::uint64_t max_queued,
                                            const BeforeCommit& before_commit) {
  Inserted inserted;
  const std::string spec_text = proto::dump(proto::to_json(spec));
  INGOT_CHECK(database_->transaction([&]() -> Status {
    if (!spec.idempotency_key.empty()) {
      INGOT_TRY(auto query,
                database_->prepare("SELECT id, spec FROM jobs WHERE submitter_uid = ? AND idempotency_key = ?"));
      query.bind(1, std::int64_t{submitter.uid}).bind(2, spec.idempotency_key);
      INGOT_TRY(inserted.existed, query.step());
      if (inserted.existed && query.text(1) != spec_text) {
        return fail(ErrorKind::conflict,
                    fmt::format("idempotency key \"{}\" was used for job {}, which asks for something else",
                                spec.idempotency_key, query.text(0)),
                    "use a new key for a new submission");
      }
      if (inserted.existed) {
        INGOT_TRY(inserted.job, find_exact(query.text(0)));
        return {};
      }
    }
    INGOT_TRY(auto now_queued, counts());
    if (now_queued.queued >= max_queued) {
      return fail(ErrorKind::unavailable, fmt::format("the queue is full: {} jobs wait", now_queued.queued),
                  "try again later, or raise jobs.max_queued in the daemon's configuration");
    }
    INGOT_TRY(auto insertion,
              database_->prepare("INSERT INTO jobs (id, state, priority, spec, idempotency_key, submitter_uid, "
                                 "submitter_gid, submitter_user, retry_of, created_ms) "
                                 "VALUES (?, 'queued', ?, ?, nullif(?, ''), ?, ?, ?, nullif(?, ''), ?)"));
    const std::string id = base::random_id(kIdLength);
    insertion.bind(1, id).bind(2, std::int64_t{spec.priority}).bind(3, spec_text).bind(4, spec.idempotency_key);
    insertion.bind(5, std::int64_t{submitter.uid}).bind(6, std::int64_t{submitter.gid}).bind(7, submitter.user);
    insertion.bind(8, retry_of).bind(9, clock_->unix_ms());
    INGOT_CHECK(insertion.run());
    for (const auto& [key, value] : spec.labels) {
      INGOT_TRY(auto label, database_->prepare("INSERT INTO job_labels (job, key, value) "
                                               "SELECT seq, ?, ? FROM jobs WHERE id = ?"));
      INGOT_CHECK(label.bind(1, key).bind(2, value).bind(3, id).run());
    }
    INGOT_TRY(inserted.job, find_exact(id));
    return before_commit ? before_commit(id) : Status();
  }));
  return inserted;
}

Status JobTable::finish(const std::string& id, JobState state, const std::optional<Error>& error) {
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto update, database_->prepare("UPDATE jobs SET state = ?, error = nullif(?, ''), "
                                              "finished_ms = max(started_ms, ?) WHERE id = ? AND state = 'running'"));
    update.bind(1, proto::name_of(state)).bind(2, error ? proto::dump(proto::to_json(*error)) : "");
    INGOT_CHECK(update.bind(3, clock_->unix_ms()).bind(4, id).run());
    if (database_->changes() == 1) return {};
    return fail(ErrorKind::internal, "job " + id + " is to be finished but does not run");
  });
}

Status JobTable::requeue(const std::string& id) {
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto update, database_->prepare("UPDATE jobs SET state = 'queued', started_ms = NULL "
                                              "WHERE id = ? AND state = 'running'"));
    return update.bind(1, id).run();
  });
}

Result<proto::Job> JobTable::request_cancel(const std::string& id) {
  proto::Job job;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(job, find(id));
    if (job.state == JobState::canceled) return {};
    if (proto::is_final(job.state)) {
      return fail(ErrorKind::conflict, fmt::format("job {} has already {}", job.id, proto::name_of(job.state)));
    }
    INGOT_TRY(auto update, database_->prepare("UPDATE jobs SET cancel_requested = 1, "
                                              "error = iif(state = 'queued', ?, NULL), "
                                              "finished_ms = iif(state = 'queued', max(created_ms, ?), NULL), "
                                              "state = iif(state = 'queued', 'canceled', state) WHERE id = ?"));
    update.bind(1, proto::dump(proto::to_json(canceled_before_start()))).bind(2, clock_->unix_ms()).bind(3, job.id);
    INGOT_CHECK(update.run());
    INGOT_TRY(job, find_exact(job.id));
    return {};
  }));
  return job;
}

Result<std::vector<proto::Job>> JobTable::recover() {
  std::vector<proto::Job> recovered;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    std::vector<std::string> ids;
    {
      INGOT_TRY(auto query, database_->prepare("SELECT id FROM jobs WHERE state = 'running' ORDER BY seq"));
      while (true) {
        INGOT_TRY(bool more, query.step());
        if (!more) break;
        ids.push_back(query.text(0));
      }
    }
    INGOT_TRY(auto cancel, database_->prepare("UPDATE jobs SET state = 'canceled', error = ?, "
                                              "finished_ms = max(started_ms, ?) "
                                              "WHERE state = 'running' AND cancel_requested = 1"));
    Error error;
    error.kind = ErrorKind::canceled;
    error.message = "canceled while the daemon was restarted";
    INGOT_CHECK(cancel.bind(1, proto::dump(proto::to_json(error))).bind(2, clock_->unix_ms()).run());
    INGOT_TRY(auto requeue,
              database_->prepare("UPDATE jobs SET state = 'queued', started_ms = NULL WHERE state = 'running'"));
    INGOT_CHECK(requeue.run());
    for (const auto& id : ids) {
      INGOT_TRY(auto job, find_exact(id));
      recovered.push_back(std::move(job));
    }
    return {};
  }));
  return recovered;
}

Status JobTable::add_artifacts(const std::string& id, std::vector<proto::Artifact>& artifacts) {
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto next, database_->prepare("SELECT j.seq, 1 + coalesce(max(a.number), 0) FROM jobs j "
                                            "LEFT JOIN artifacts a ON a.job = j.seq WHERE j.id = ?"));
    INGOT_CHECK(next.bind(1, id).step());
    const std::int64_t job = next.number(0);
    std::int64_t number = next.number(1);
    INGOT_TRY(auto insertion,
              database_->prepare(
                  "INSERT INTO artifacts (job, number, name, local_path, digest, size, media_type, mode, checksum, "
                  "platforms, push, image_size, insecure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    for (auto& artifact : artifacts) {
      artifact.id = std::to_string(number);
      insertion.bind(1, job).bind(2, number++).bind(3, artifact.name).bind(4, artifact.local_path);
      insertion.bind(5, artifact.digest).bind(6, static_cast<std::int64_t>(artifact.size));
      insertion.bind(7, artifact.media_type).bind(8, std::int64_t{artifact.mode});
      insertion.bind(9, artifact.checksum).bind(10, base::join(artifact.platforms, ","));
      insertion.bind(11, std::int64_t{artifact.push ? 1 : 0});
      insertion.bind(12, static_cast<std::int64_t>(artifact.image_size));
      INGOT_CHECK(insertion.bind(13, std::int64_t{artifact.insecure ? 1 : 0}).run());
    }
    return {};
  });
}

Status JobTable::record_images(const std::string& id, const std::vector<proto::FromImage>& images) {
  return database_->transaction([&]() -> Status {
    for (std::size_t i = 0; i < images.size(); ++i) {
      INGOT_TRY(auto insertion,
                database_->prepare("INSERT OR REPLACE INTO job_images (job, number, name, digest, source, platform) "
                                   "SELECT seq, ?, ?, ?, ?, ? FROM jobs WHERE id = ?"));
      insertion.bind(1, static_cast<std::int64_t>(i) + 1).bind(2, images[i].name).bind(3, images[i].digest);
      INGOT_CHECK(insertion.bind(4, images[i].source).bind(5, images[i].platform).bind(6, id).run());
    }
    return {};
  });
}

Status JobTable::record_repositories(const std::string& id, const std::vector<proto::FromRepository>& repositories) {
  if (repositories.empty()) return {};
  return database_->transaction([&]() -> Status {
    for (std::size_t i = 0; i < repositories.size(); ++i) {
      const auto& one = repositories[i];
      INGOT_TRY(auto insertion,
                database_->prepare("INSERT OR REPLACE INTO job_repositories (job, number, name, ref, commit_id, url) "
                                   "SELECT seq, ?, ?, ?, ?, ? FROM jobs WHERE id = ?"));
      insertion.bind(1, static_cast<std::int64_t>(i) + 1).bind(2, one.name).bind(3, one.ref).bind(4, one.commit);
      INGOT_CHECK(insertion.bind(5, one.url).bind(6, id).run());
    }
    return {};
  });
}

Result<proto::Job> JobTable::find(const std::string& id_or_prefix) const {
  proto::Job job;
  INGOT_CHECK(database_->read([&]() -> Status {
    auto exact = find_exact(id_or_prefix);
    if (exact) {
      job = std::move(*exact);
      return {};
    }
    if (exact.error().kind != ErrorKind::not_found || id_or_prefix.size() < kShortestPrefix) return fail(exact.error());
    // A range, not LIKE: it uses the index, and what a user types has no wildcards. '~' sorts behind every id.
    INGOT_TRY(auto query, database_->prepare("SELECT id FROM jobs WHERE id >= ?1 AND id < ?1 || '~' LIMIT 3"));
    query.bind(1, id_or_prefix);
    std::vector<std::string> ids;
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) break;
      ids.push_back(query.text(0));
    }
    if (ids.size() > 1) {
      return fail(ErrorKind::invalid,
                  fmt::format("\"{}\" is the beginning of several jobs: {}", id_or_prefix, base::join(ids, ", ")),
                  "give more of the id");
    }
    INGOT_TRY(job, find_exact(ids.empty() ? id_or_prefix : ids.front()));
    return {};
  }));
  return job;
}

Result<std::set<std::string>> JobTable::unfinished() const {
  std::set<std::string> ids;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare("SELECT id FROM jobs WHERE finished_ms IS NULL"));
    while (true) {
      INGOT_TRY(const bool more, query.step());
      if (!more) return {};
      ids.insert(query.text(0));
    }
  }));
  return ids;
}

Result<std::vector<proto::Job>> JobTable::list(const JobFilter& filter) const {
  std::string sql = fmt::format("SELECT {}{} WHERE 1", fmt::format(kColumns, kPlace), kFrom);
  if (filter.state) sql += " AND j.state = ?";
  for (std::size_t i = 0; i < filter.labels.size(); ++i) {
    sql += " AND EXISTS (SELECT 1 FROM job_labels l WHERE l.job = j.seq AND l.key = ? AND l.value = ?)";
  }
  sql += " ORDER BY j.seq DESC LIMIT ?";

  std::vector<proto::Job> jobs;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare(sql));
    int parameter = 1;
    if (filter.state) query.bind(parameter++, proto::name_of(*filter.state));
    for (const auto& [key, value] : filter.labels) {
      query.bind(parameter, key).bind(parameter + 1, value);
      parameter += 2;
    }
    query.bind(parameter, static_cast<std::int64_t>(filter.limit));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      INGOT_TRY(auto job, read_job(query));
      jobs.push_back(std::move(job));
    }
  }));
  return jobs;
}

Result<std::vector<proto::ImageInfo>> JobTable::images(std::size_t most) const {
  std::vector<proto::ImageInfo> images;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("SELECT a.name, a.digest, j.id, max(j.created_ms), a.platforms FROM artifacts a "
                                 "JOIN jobs j ON j.seq = a.job WHERE a.media_type IN (?, ?) "
                                 "AND a.removed_ms IS NULL "
                                 "GROUP BY a.name, a.digest ORDER BY max(j.seq) DESC, a.number LIMIT ?"));
    query.bind(1, proto::kManifestMediaType).bind(2, proto::kIndexMediaType);
    query.bind(3, static_cast<std::int64_t>(most));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      images.push_back(
          {query.text(0), query.text(1), query.text(2), query.number(3), 0, 0, platforms_of(query.text(4))});
    }
  }));
  return images;
}

Result<std::vector<proto::Artifact>> JobTable::artifacts(const std::string& id) const {
  std::vector<proto::Artifact> artifacts;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto job, find(id));
    INGOT_TRY(auto query,
              database_->prepare(
                  "SELECT number, name, local_path, digest, size, media_type, mode, checksum, removed_ms, platforms, "
                  "push, image_size, insecure "
                  "FROM artifacts "
                  "WHERE job = (SELECT seq FROM jobs WHERE id = ?) ORDER BY number"));
    query.bind(1, job.id);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      proto::Artifact artifact;
      artifact.id = query.text(0);
      artifact.name = query.text(1);
      artifact.local_path = query.text(2);
      artifact.digest = query.text(3);
      artifact.size = static_cast<std::uint64_t>(query.number(4));
      artifact.media_type = query.text(5);
      artifact.mode = static_cast<std::uint32_t>(query.number(6));
      artifact.checksum = query.text(7);
      artifact.removed_ms = query.number(8);
      artifact.push = query.number(10) != 0;
      artifact.image_size = static_cast<std::uint64_t>(query.number(11));
      artifact.insecure = query.number(12) != 0;
      artifact.platforms = platforms_of(query.text(9));
      artifacts.push_back(std::move(artifact));
    }
  }));
  return artifacts;
}

Result<JobQueue::Counts> JobTable::counts() const {
  JobQueue::Counts counts;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare("SELECT (SELECT count(*) FROM jobs WHERE state = 'queued'), "
                                             "(SELECT count(*) FROM jobs WHERE state = 'running')"));
    INGOT_CHECK(query.step());
    counts.queued = static_cast<std::uint64_t>(query.number(0));
    counts.running = static_cast<std::uint64_t>(query.number(1));
    return {};
  }));
  return counts;
}

}  // namespace ingot::jobs
