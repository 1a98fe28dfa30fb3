#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/jobs/sweep_table.h"
#include "proto/codec.h"

// What changes the rows of sweeps; sweep_table.cpp reads them.
namespace ingot::jobs {

namespace {

using base::fail;
using proto::JobState;
using proto::SweepState;

constexpr std::size_t kSweepIdLength = 10;

std::string digest_of(const proto::SweepSpec& spec) {
  auto body = proto::to_json(spec);
  body.erase("idempotency_key");
  return base::Digest::of(proto::dump(body)).str();
}

std::string over_disk(std::int64_t bytes, std::int64_t limit) {
  return fmt::format("what its cells made has {}, and limits.disk allows {}",
                     base::human_bytes(static_cast<std::uint64_t>(bytes)),
                     base::human_bytes(static_cast<std::uint64_t>(limit)));
}

Error canceled_because(const std::string& reason) {
  Error error;
  error.kind = ErrorKind::canceled;
  error.message = reason;
  return error;
}

}  // namespace

Result<std::string> SweepTable::insert_job(std::int64_t sweep, int number, const proto::JobSpec& job,
                                           const proto::Submitter& submitter, const std::string& retry_of) {
  const std::string id = base::random_id(kSweepIdLength);
  INGOT_TRY(auto insertion,
            database_->prepare("INSERT INTO jobs (id, state, priority, spec, submitter_uid, submitter_gid, "
                               "submitter_user, retry_of, created_ms, sweep, cell) "
                               "VALUES (?, 'queued', ?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?)"));
  insertion.bind(1, id).bind(2, std::int64_t{job.priority}).bind(3, proto::dump(proto::to_json(job)));
  insertion.bind(4, std::int64_t{submitter.uid}).bind(5, std::int64_t{submitter.gid}).bind(6, submitter.user);
  insertion.bind(7, retry_of).bind(8, clock_->unix_ms()).bind(9, sweep).bind(10, std::int64_t{number});
  INGOT_CHECK(insertion.run());
  for (const auto& [key, value] : job.labels) {
    INGOT_TRY(auto label,
              database_->prepare("INSERT INTO job_labels (job, key, value) SELECT seq, ?, ? FROM jobs WHERE id = ?"));
    INGOT_CHECK(label.bind(1, key).bind(2, value).bind(3, id).run());
  }
  return id;
}

Status SweepTable::insert_cells(std::int64_t sweep, const proto::SweepSpec& spec, const proto::Submitter& submitter,
                                const BeforeCommit& before_commit) {
  INGOT_TRY(auto insertion,
            database_->prepare("INSERT INTO sweep_cells (sweep, number, name, target, cell_values, digest, job, state) "
                               "VALUES (?, ?, ?, ?, ?, ?, ?, 'queued')"));
  const auto add = [&](int number, const std::string& name, const std::map<std::string, std::string>& values,
                       const proto::JobSpec& job) -> Status {
    INGOT_TRY(const auto id, insert_job(sweep, number, job, submitter, ""));
    insertion.bind(1, sweep).bind(2, std::int64_t{number}).bind(3, name).bind(4, job.target);
    insertion.bind(5, proto::dump(nlohmann::json(values))).bind(6, digest_of(job)).bind(7, id);
    INGOT_CHECK(insertion.run());
    return before_commit ? before_commit(id) : Status();
  };
  if (!spec.job.target.empty()) INGOT_CHECK(add(0, "", {}, spec.job));
  int number = 0;
  for (const auto& cell : spec.cells) INGOT_CHECK(add(++number, cell.name, cell.values, job_of(spec, cell)));
  return {};
}

Result<proto::Sweep> SweepTable::insert(const proto::SweepSpec& spec, const proto::Submitter& submitter,
                                        std::uint64_t max_queued, const BeforeCommit& before_commit) {
  proto::Sweep sweep;
  const std::string digest = digest_of(spec);
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto earlier, database_->prepare("SELECT seq, digest FROM sweeps WHERE submitter_uid = ?1 AND "
                                               "((idempotency_key IS NOT NULL AND idempotency_key = ?2) OR "
                                               "(finished_ms IS NULL AND digest = ?3)) LIMIT 1"));
    earlier.bind(1, std::int64_t{submitter.uid}).bind(2, spec.idempotency_key).bind(3, digest);
    INGOT_TRY(const bool existed, earlier.step());
    if (existed && earlier.text(1) != digest) {
      return fail(ErrorKind::conflict,
                  fmt::format("idempotency key \"{}\" was used for another sweep", spec.idempotency_key),
                  "use a new key for a new submission");
    }
    if (existed) {
      INGOT_TRY(sweep, read(earlier.number(0), false));
      sweep.existed = true;
      return {};
    }
    INGOT_TRY(auto queued, database_->prepare("SELECT count(*) FROM jobs WHERE state = 'queued'"));
    INGOT_CHECK(queued.step());
    if (static_cast<std::uint64_t>(queued.number(0)) + spec.cells.size() > max_queued) {
      return fail(ErrorKind::unavailable,
                  fmt::format("the queue has no room for {} cells: {} jobs wait", spec.cells.size(), queued.number(0)),
                  "try again later, or raise jobs.max_queued in the daemon's configuration");
    }
    INGOT_TRY(auto insertion,
              database_->prepare(
                  "INSERT INTO sweeps (id, name, project, state, axes, job, digest, idempotency_key, "
                  "submitter_uid, submitter_gid, submitter_user, parallel, stop_after, disk_bytes, "
                  "publish_whole, held, created_ms, deadline_ms, time_seconds, keep_jobs_ms, keep_artifacts_ms) "
                  "VALUES (?, ?, ?, 'running', ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), "
                  "?, ?, ?)"));
    const std::int64_t now = clock_->unix_ms();
    const std::string id = base::random_id(kSweepIdLength);
    insertion.bind(1, id).bind(2, spec.name).bind(3, spec.job.project).bind(4, proto::dump(nlohmann::json(spec.axes)));
    insertion.bind(5, proto::dump(proto::to_json(spec.job))).bind(6, digest).bind(7, spec.idempotency_key);
    insertion.bind(8, std::int64_t{submitter.uid}).bind(9, std::int64_t{submitter.gid}).bind(10, submitter.user);
    insertion.bind(11, std::int64_t{spec.parallel}).bind(12, std::int64_t{spec.stop_after});
    insertion.bind(13, static_cast<std::int64_t>(spec.disk_bytes)).bind(14, std::int64_t{spec.publish_whole ? 1 : 0});
    insertion.bind(15, std::int64_t{spec.job.target.empty() ? 0 : 1}).bind(16, now);
    insertion.bind(17, spec.time_seconds == 0 ? 0 : now + static_cast<std::int64_t>(spec.time_seconds) * 1000);
    insertion.bind(18, static_cast<std::int64_t>(spec.time_seconds));
    insertion.bind(19, static_cast<std::int64_t>(spec.keep_jobs_seconds) * 1000);
    insertion.bind(20, static_cast<std::int64_t>(spec.keep_artifacts_seconds) * 1000);
    INGOT_CHECK(insertion.run());
    INGOT_TRY(const auto seq, seq_of(id));
    INGOT_CHECK(insert_cells(seq, spec, submitter, before_commit));
    INGOT_TRY(sweep, read(seq, false));
    return {};
  }));
  return sweep;
}

Status SweepTable::cancel_queued(std::int64_t sweep, const std::string& reason, Settled& settled) {
  INGOT_TRY(settled.canceled, jobs_in(sweep, "queued"));
  INGOT_TRY(auto update, database_->prepare("UPDATE jobs SET state = 'canceled', cancel_requested = 1, error = ?, "
                                            "finished_ms = max(created_ms, ?) WHERE sweep = ? AND state = 'queued'"));
  update.bind(1, proto::dump(proto::to_json(canceled_because(reason)))).bind(2, clock_->unix_ms()).bind(3, sweep);
  INGOT_CHECK(update.run());
  INGOT_TRY(auto note, database_->prepare("UPDATE sweeps SET reason = ? WHERE seq = ? AND reason = ''"));
  return note.bind(1, reason).bind(2, sweep).run();
}

Result<SweepTable::Settled> SweepTable::settle(const std::string& id) {
  Settled settled;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id));
    return settle(seq, settled);
  }));
  return settled;
}

// Why what waits is not wanted any more; empty: it is.
std::string SweepTable::reason_to_stop(const Progress& now) {
  if (now.base == JobState::failed) return "the base failed";
  if (now.base == JobState::canceled) return "the base was canceled";
  if (now.stop_after > 0 && now.failed >= now.stop_after) {
    return fmt::format("stopped after {} failure{}", now.failed, now.failed == 1 ? "" : "s");
  }
  if (now.disk_bytes > 0 && now.bytes >= now.disk_bytes) return over_disk(now.bytes, now.disk_bytes);
  return "";
}

Result<SweepTable::Progress> SweepTable::progress(std::int64_t sweep) const {
  INGOT_TRY(auto row, database_->prepare("SELECT state, held, stop_after, disk_bytes, publish_whole, cancel_requested, "
                                         "(SELECT state FROM sweep_cells WHERE sweep = seq AND number = 0) "
                                         "FROM sweeps WHERE seq = ?"));
  row.bind(1, sweep);
  INGOT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorKind::not_found, "there is no such sweep");
  Progress now;
  now.state = proto::sweep_state_from_name(row.text(0)).value_or(SweepState::failed);
  now.is_held = row.number(1) == 1;
  now.stop_after = row.number(2);
  now.disk_bytes = row.number(3);
  now.publishes = row.number(4) == 1;
  now.is_canceled = row.number(5) == 1;
  now.base = proto::job_state_from_name(row.text(6));
  INGOT_TRY(auto cells,
            database_->prepare("SELECT state, count(*), sum(bytes) FROM sweep_cells WHERE sweep = ? GROUP BY state"));
  cells.bind(1, sweep);
  while (true) {
    INGOT_TRY(const bool more, cells.step());
    if (!more) return now;
    const auto state = proto::job_state_from_name(cells.text(0));
    const std::int64_t count = cells.number(1);
    now.bytes += cells.number(2);
    if (state == JobState::queued) now.queued = count;
    if (state == JobState::running) now.running = count;
    if (state == JobState::failed) now.failed = count;
    if (state == JobState::canceled) now.canceled = count;
  }
}

Status SweepTable::settle(std::int64_t sweep, Settled& settled) {
  INGOT_TRY(const auto now, progress(sweep));
  settled.state = now.state;
  if (now.state != SweepState::running) return {};
  if (now.is_held && now.base == JobState::succeeded) {
    INGOT_TRY(auto release, database_->prepare("UPDATE sweeps SET held = 0 WHERE seq = ?"));
    INGOT_CHECK(release.bind(1, sweep).run());
    settled.is_released = true;
  }
  const std::string reason = reason_to_stop(now);
  if (!reason.empty() && now.queued > 0) {
    INGOT_CHECK(cancel_queued(sweep, reason, settled));
    return settle(sweep, settled);  // nothing is queued any more
  }
  if (now.queued + now.running > 0) return {};
  // Who canceled it wants nothing of it published, though its last cell was quicker.
  const bool is_green = now.failed == 0 && now.canceled == 0 && !now.is_canceled;
  settled.state = is_green          ? (now.publishes ? SweepState::publishing : SweepState::succeeded)
                  : now.is_canceled ? SweepState::canceled
                                    : SweepState::failed;
  INGOT_TRY(auto update, database_->prepare("UPDATE sweeps SET state = ?1, finished_ms = iif(?1 = 'publishing', NULL, "
                                            "max(created_ms, ?2)) WHERE seq = ?3"));
  return update.bind(1, proto::name_of(settled.state)).bind(2, clock_->unix_ms()).bind(3, sweep).run();
}

Result<SweepTable::Settled> SweepTable::cancel(const std::string& id, const std::string& reason, bool asked) {
  Settled settled;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id));
    INGOT_TRY(const auto sweep, read(seq, false));
    if (proto::is_final(sweep.state)) {
      return fail(ErrorKind::conflict,
                  fmt::format("sweep {} has already {}", sweep.id,
                              sweep.state == SweepState::canceled ? "been canceled" : proto::name_of(sweep.state)));
    }
    INGOT_TRY(auto request, database_->prepare("UPDATE sweeps SET cancel_requested = ?, reason = ? WHERE seq = ?"));
    INGOT_CHECK(request.bind(1, std::int64_t{asked ? 1 : 0}).bind(2, reason).bind(3, seq).run());
    if (sweep.state == SweepState::publishing) {
      settled.state = asked ? SweepState::canceled : SweepState::failed;
      INGOT_TRY(auto end,
                database_->prepare("UPDATE sweeps SET state = ?, finished_ms = max(created_ms, ?) WHERE seq = ?"));
      return end.bind(1, proto::name_of(settled.state)).bind(2, clock_->unix_ms()).bind(3, seq).run();
    }
    INGOT_CHECK(cancel_queued(seq, reason, settled));
    INGOT_TRY(settled.to_cancel, jobs_in(seq, "running"));
    // Also for a daemon that is killed before it tells them.
    INGOT_TRY(auto tell,
              database_->prepare("UPDATE jobs SET cancel_requested = 1 WHERE sweep = ? AND state = 'running'"));
    INGOT_CHECK(tell.bind(1, seq).run());
    return settle(seq, settled);
  }));
  return settled;
}

// Why it cannot be repeated now.
Status SweepTable::check_retry(std::int64_t sweep, const proto::Sweep& row, std::uint64_t max_queued) const {
  INGOT_TRY(auto other,
            database_->prepare("SELECT o.id FROM sweeps o JOIN sweeps s ON s.submitter_uid = o.submitter_uid AND "
                               "s.digest = o.digest WHERE s.seq = ?1 AND o.seq <> ?1 AND o.finished_ms IS NULL"));
  other.bind(1, sweep);
  INGOT_TRY(const bool runs_elsewhere, other.step());
  if (runs_elsewhere) {
    return fail(ErrorKind::conflict, fmt::format("sweep {} is the same, and runs already", other.text(0)),
                "`ingot sweep wait " + other.text(0) + "`");
  }
  INGOT_TRY(auto queued, database_->prepare("SELECT count(*) FROM jobs WHERE state = 'queued'"));
  INGOT_CHECK(queued.step());
  if (static_cast<std::uint64_t>(queued.number(0)) + row.cells.size() > max_queued) {
    return fail(ErrorKind::unavailable, "the queue has no room for these cells", "try again later");
  }
  return {};
}

Status SweepTable::repeat_cell(std::int64_t sweep, const proto::SweepCell& cell, const proto::Submitter& submitter,
                               const BeforeCommit& before_commit) {
  INGOT_TRY(auto spec, database_->prepare("SELECT spec FROM jobs WHERE id = ?"));
  spec.bind(1, cell.job);
  INGOT_TRY(const bool is_there, spec.step());
  if (!is_there) {
    return fail(ErrorKind::not_found, fmt::format("job {} of cell {} is no longer kept", cell.job, cell.name),
                "run the sweep anew");
  }
  INGOT_TRY(const auto body, proto::parse_json(spec.text(0)));
  INGOT_TRY(const auto job, proto::job_spec_from_json(body));
  INGOT_TRY(const auto repeated, insert_job(sweep, cell.number, job, submitter, cell.job));
  INGOT_TRY(auto update,
            database_->prepare("UPDATE sweep_cells SET job = ?, state = 'queued', error = NULL, finished_ms = NULL, "
                               "milliseconds = 0, bytes = 0, steps = 0, executed = 0 "
                               "WHERE sweep = ? AND number = ?"));
  INGOT_CHECK(update.bind(1, repeated).bind(2, sweep).bind(3, std::int64_t{cell.number}).run());
  return before_commit ? before_commit(repeated) : Status();
}

Result<proto::Sweep> SweepTable::retry(const std::string& id, bool failed_only, const proto::Submitter& submitter,
                                       std::uint64_t max_queued, const BeforeCommit& before_commit) {
  proto::Sweep sweep;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id));
    INGOT_TRY(sweep, read(seq, true));
    if (!proto::is_final(sweep.state)) {
      return fail(ErrorKind::conflict, fmt::format("sweep {} is still {}", sweep.id, proto::name_of(sweep.state)),
                  "`ingot sweep cancel " + sweep.id + "` ends it");
    }
    std::erase_if(sweep.cells,
                  [&](const proto::SweepCell& cell) { return failed_only && cell.state == JobState::succeeded; });
    INGOT_TRY(auto row, database_->prepare("SELECT publish_whole FROM sweeps WHERE seq = ?"));
    INGOT_CHECK(row.bind(1, seq).step());
    const bool publishes = row.number(0) == 1 && sweep.state != SweepState::succeeded;
    if (sweep.cells.empty() && !publishes) {
      return fail(ErrorKind::conflict, "sweep " + sweep.id + " has no cell to repeat", "every one of them succeeded");
    }
    INGOT_CHECK(check_retry(seq, sweep, max_queued));
    for (const auto& cell : sweep.cells) INGOT_CHECK(repeat_cell(seq, cell, submitter, before_commit));
    INGOT_TRY(const auto now, progress(seq));
    if (now.disk_bytes > 0 && now.bytes >= now.disk_bytes) {
      return fail(ErrorKind::conflict, over_disk(now.bytes, now.disk_bytes),
                  "allow more, and run it anew: what is green is there already");
    }
    INGOT_TRY(auto reopen,
              database_->prepare(
                  "UPDATE sweeps SET state = 'running', finished_ms = NULL, reason = '', cancel_requested = 0, "
                  "deadline_ms = iif(time_seconds = 0, NULL, ?1 + 1000 * time_seconds), "
                  "held = EXISTS (SELECT 1 FROM sweep_cells c WHERE c.sweep = seq AND c.number = 0 AND "
                  "c.state <> 'succeeded') WHERE seq = ?2"));
    INGOT_CHECK(reopen.bind(1, clock_->unix_ms()).bind(2, seq).run());
    INGOT_TRY(sweep, read(seq, false));
    return {};
  }));
  return sweep;
}

Status SweepTable::end_publishing(const std::string& id, const Status& outcome) {
  return database_->transaction([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id));
    INGOT_TRY(auto update,
              database_->prepare("UPDATE sweeps SET state = ?, reason = ?, finished_ms = max(created_ms, ?) "
                                 "WHERE seq = ? AND state = 'publishing'"));
    update.bind(1, outcome ? "succeeded" : "failed").bind(2, outcome ? "" : outcome.error().message);
    return update.bind(3, clock_->unix_ms()).bind(4, seq).run();
  });
}

Status SweepTable::forget(std::int64_t before_ms) {
  return database_->transaction([&]() -> Status {
    INGOT_TRY(auto gone, database_->prepare("DELETE FROM sweeps WHERE finished_ms < ? AND NOT EXISTS "
                                            "(SELECT 1 FROM jobs WHERE jobs.sweep = sweeps.seq)"));
    return gone.bind(1, before_ms).run();
  });
}

}  // namespace ingot::jobs
