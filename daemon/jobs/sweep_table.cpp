#include "daemon/jobs/sweep_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::jobs {

namespace {

using base::fail;
using proto::JobState;
using proto::SweepState;

constexpr std::size_t kShortestSweepId = 3;

}  // namespace

std::string digest_of(const proto::JobSpec& job) {
  proto::JobSpec plain = job;
  plain.idempotency_key.clear();
  plain.labels.clear();
  plain.secret_names.clear();  // as with a step, the values are not asked for either
  plain.priority = 0;
  plain.timeout_seconds = 0;
  return base::Digest::of(proto::dump(proto::to_json(plain))).str();
}

proto::JobSpec job_of(const proto::SweepSpec& spec, const proto::SweepCellSpec& cell) {
  proto::JobSpec job = spec.job;
  job.target = cell.target;
  job.args = cell.args;
  job.priority = cell.priority;
  job.timeout_seconds = cell.timeout_seconds;
  return job;
}

Result<std::int64_t> SweepTable::seq_of(const std::string& id_or_prefix) const {
  INGOT_TRY(auto query, database_->prepare("SELECT seq, id FROM sweeps WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2"));
  query.bind(1, id_or_prefix);
  INGOT_TRY(const bool found, query.step());
  const bool long_enough = id_or_prefix.size() >= kShortestSweepId;
  if (!found || !long_enough) {
    return fail(ErrorKind::not_found, "there is no sweep \"" + base::printable(id_or_prefix) + "\"",
                "`ingot sweep ls` lists them");
  }
  const std::int64_t seq = query.number(0);
  INGOT_TRY(const bool ambiguous, query.step());
  if (!ambiguous) return seq;
  return fail(ErrorKind::invalid, "\"" + base::printable(id_or_prefix) + "\" is the beginning of several sweeps",
              "give more of the id");
}

Result<proto::Sweep> SweepTable::read(std::int64_t seq, bool with_cells) const {
  INGOT_TRY(auto row, database_->prepare("SELECT id, name, project, axes, state, reason, submitter_uid, submitter_gid, "
                                         "submitter_user, created_ms, finished_ms FROM sweeps WHERE seq = ?"));
  row.bind(1, seq);
  INGOT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorKind::not_found, "there is no such sweep");
  proto::Sweep sweep;
  sweep.id = row.text(0);
  sweep.name = row.text(1);
  sweep.project = row.text(2);
  INGOT_TRY(const auto axes, proto::parse_json(row.text(3)));
  for (const auto& axis : axes) sweep.axes.push_back(axis.get<std::string>());
  sweep.state = proto::sweep_state_from_name(row.text(4)).value_or(SweepState::failed);
  sweep.reason = row.text(5);
  sweep.submitter = {static_cast<std::uint32_t>(row.number(6)), static_cast<std::uint32_t>(row.number(7)), row.text(8)};
  sweep.created_ms = row.number(9);
  sweep.finished_ms = row.number(10);
  INGOT_TRY(auto counts, database_->prepare("SELECT state, count(*) FROM sweep_cells WHERE sweep = ? AND number > 0 "
                                            "GROUP BY state"));
  counts.bind(1, seq);
  while (true) {
    INGOT_TRY(const bool more, counts.step());
    if (!more) break;
    sweep.counts[counts.text(0)] = static_cast<std::uint64_t>(counts.number(1));
  }
  if (!with_cells) return sweep;
  INGOT_TRY(auto cells, database_->prepare("SELECT number, name, target, cell_values, state, job, error, milliseconds, "
                                           "bytes, steps, executed, finished_ms FROM sweep_cells WHERE sweep = ? "
                                           "ORDER BY number"));
  cells.bind(1, seq);
  while (true) {
    INGOT_TRY(const bool more, cells.step());
    if (!more) break;
    proto::SweepCell cell;
    cell.number = static_cast<int>(cells.number(0));
    cell.name = cells.text(1);
    cell.target = cells.text(2);
    INGOT_TRY(const auto values, proto::parse_json(cells.text(3)));
    cell.values = values.get<std::map<std::string, std::string>>();
    cell.state = proto::job_state_from_name(cells.text(4)).value_or(JobState::failed);
    cell.job = cells.text(5);
    if (!cells.is_null(6)) {
      INGOT_TRY(const auto error, proto::parse_json(cells.text(6)));
      cell.error = proto::error_from_json(error);
    }
    cell.seconds = static_cast<double>(cells.number(7)) / 1000;
    cell.bytes = static_cast<std::uint64_t>(cells.number(8));
    cell.steps = static_cast<std::uint64_t>(cells.number(9));
    cell.executed = static_cast<std::uint64_t>(cells.number(10));
    cell.finished_ms = cells.number(11);
    sweep.cells.push_back(std::move(cell));
  }
  return sweep;
}

Result<proto::Sweep> SweepTable::find(const std::string& id_or_prefix, bool with_cells) const {
  proto::Sweep sweep;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id_or_prefix));
    INGOT_TRY(sweep, read(seq, with_cells));
    return {};
  }));
  return sweep;
}

Result<std::vector<proto::Sweep>> SweepTable::list(std::size_t most) const {
  std::vector<proto::Sweep> sweeps;
  INGOT_CHECK(database_->read([&]() -> Status {
    std::vector<std::int64_t> seqs;
    INGOT_TRY(auto query, database_->prepare("SELECT seq FROM sweeps ORDER BY seq DESC LIMIT ?"));
    query.bind(1, static_cast<std::int64_t>(most));
    while (true) {
      INGOT_TRY(const bool more, query.step());
      if (!more) break;
      seqs.push_back(query.number(0));
    }
    for (const auto seq : seqs) {
      INGOT_TRY(auto sweep, read(seq, false));
      sweeps.push_back(std::move(sweep));
    }
    return {};
  }));
  return sweeps;
}

Result<std::vector<proto::CellForecast>> SweepTable::forecast(const proto::SweepSpec& spec) const {
  std::vector<proto::CellForecast> forecasts;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("SELECT c.digest, c.milliseconds, c.bytes, c.steps, c.executed FROM sweep_cells c "
                                 "JOIN sweeps s ON s.seq = c.sweep WHERE c.name = ? AND s.name = ? AND s.project = ? "
                                 "AND c.state = 'succeeded' ORDER BY (c.executed > 0) DESC, c.sweep DESC LIMIT 1"));
    INGOT_TRY(
        auto same,
        database_->prepare("SELECT 1 FROM sweep_cells WHERE name = ? AND digest = ? AND state = 'succeeded' LIMIT 1"));
    for (const auto& cell : spec.cells) {
      proto::CellForecast forecast;
      forecast.name = cell.name;
      query.bind(1, cell.name).bind(2, spec.name).bind(3, spec.job.project);
      INGOT_TRY(forecast.is_known, query.step());
      if (forecast.is_known) {
        forecast.seconds = static_cast<double>(query.number(1)) / 1000;
        forecast.bytes = static_cast<std::uint64_t>(query.number(2));
        forecast.steps = static_cast<std::uint64_t>(query.number(3));
        forecast.executed = static_cast<std::uint64_t>(query.number(4));
      }
      query.reset();
      same.bind(1, cell.name).bind(2, digest_of(job_of(spec, cell)));
      INGOT_TRY(forecast.is_unchanged, same.step());
      same.reset();
      forecasts.push_back(std::move(forecast));
    }
    return {};
  }));
  return forecasts;
}

Result<std::vector<std::string>> SweepTable::jobs_in(std::int64_t sweep, const char* state) const {
  std::vector<std::string> ids;
  INGOT_TRY(auto query, database_->prepare("SELECT id FROM jobs WHERE sweep = ? AND state = ? ORDER BY seq"));
  query.bind(1, sweep).bind(2, state);
  while (true) {
    INGOT_TRY(const bool more, query.step());
    if (!more) return ids;
    ids.push_back(query.text(0));
  }
}

Result<std::string> SweepTable::sweep_of(const std::string& job) const {
  std::string id;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("SELECT s.id FROM jobs j JOIN sweeps s ON s.seq = j.sweep WHERE j.id = ?"));
    query.bind(1, job);
    INGOT_TRY(const bool found, query.step());
    if (found) id = query.text(0);
    return {};
  }));
  return id;
}

Result<std::string> SweepTable::by_key(std::uint32_t uid, const std::string& key) const {
  std::string id;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare("SELECT id FROM sweeps WHERE submitter_uid = ? AND idempotency_key = ?"));
    INGOT_TRY(const bool found, query.bind(1, std::int64_t{uid}).bind(2, key).step());
    if (found) id = query.text(0);
    return {};
  }));
  return id;
}

Result<std::vector<SweepTable::Active>> SweepTable::active() const {
  std::vector<Active> all;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("SELECT id, coalesce(deadline_ms, 0) FROM sweeps WHERE finished_ms IS NULL"));
    while (true) {
      INGOT_TRY(const bool more, query.step());
      if (!more) return {};
      all.push_back({query.text(0), query.number(1)});
    }
  }));
  return all;
}

Result<std::vector<proto::ImagePush>> SweepTable::images_to_publish(const std::string& id) const {
  std::vector<proto::ImagePush> images;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(const auto seq, seq_of(id));
    INGOT_TRY(auto query, database_->prepare("SELECT DISTINCT a.digest, a.name, a.insecure, j.seq IS NULL OR "
                                             "a.removed_ms IS NOT NULL, c.name FROM sweep_cells c LEFT JOIN jobs j ON "
                                             "j.id = c.job LEFT JOIN artifacts a ON a.job = j.seq AND a.push = 1 "
                                             "WHERE c.sweep = ? ORDER BY c.number, a.number"));
    query.bind(1, seq);
    while (true) {
      INGOT_TRY(const bool more, query.step());
      if (!more) return {};
      if (query.number(3) == 1) {
        return fail(ErrorKind::not_found, "what cell " + query.text(4) + " made is no longer there",
                    "run the sweep anew");
      }
      if (!query.is_null(0)) images.push_back({query.text(0), query.text(1), query.number(2) == 1});
    }
  }));
  return images;
}

}  // namespace ingot::jobs
