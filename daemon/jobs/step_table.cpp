#include "daemon/jobs/step_table.h"

#include <nlohmann/json.hpp>

#include "daemon/base/digest.h"

namespace ingot::jobs {

namespace {

using Parts = std::map<std::string, std::string>;

// Kept among the parts of a step: of the job that it is said of it is a reason, for the jobs after that it says
// nothing.
constexpr const char* kStandsOnAnew = "what it stands on was to run anew, and came out different";

Parts decode(const std::string& text) {
  const auto body = nlohmann::json::parse(text, nullptr, false);
  Parts parts;
  if (!body.is_object()) return parts;
  for (const auto& [name, value] : body.items()) {
    if (value.is_string()) parts[name] = value.get<std::string>();
  }
  return parts;
}

std::string encode(Parts parts, const StepRecord& step) {
  if (step.stands_on_anew) parts[kStandsOnAnew] = "";
  return nlohmann::json(std::move(parts)).dump();
}

// In the order of the names: what changed, what is new, what is gone.
std::vector<std::string> differences(const Parts& before, const Parts& now) {
  std::vector<std::string> found;
  for (const auto& [name, value] : now) {
    auto old = before.find(name);
    if (name == kStandsOnAnew)
      found.push_back(name);
    else if (old == before.end())
      found.push_back(name + " is new");
    else if (old->second != value)
      found.push_back(name + " changed");
  }
  for (const auto& [name, value] : before) {
    if (!now.contains(name) && name != kStandsOnAnew) found.push_back(name + " is gone");
  }
  return found;
}

}  // namespace

// Most steps of most jobs are what they were.
Result<std::set<std::string>> StepTable::kept_parts(const std::vector<StepRecord>& steps) const {
  std::set<std::string> kept;
  INGOT_CHECK(database_.read([&]() -> Status {
    for (const auto& step : steps) {
      if (step.parts_digest.empty()) continue;
      INGOT_TRY(auto query, database_.prepare("SELECT 1 FROM step_parts WHERE digest = ?"));
      INGOT_TRY(const bool found, query.bind(1, step.parts_digest).step());
      if (found) kept.insert(step.parts_digest);
    }
    return {};
  }));
  return kept;
}

Status StepTable::record(const std::string& job, const std::vector<StepRecord>& steps) {
  INGOT_TRY(const auto kept, kept_parts(steps));
  auto written = write(job, steps, kept);
  // The job that had them may have been forgotten since.
  if (!written && written.error().kind == ErrorKind::conflict) written = write(job, steps, {});
  return written;
}

Status StepTable::write(const std::string& job, const std::vector<StepRecord>& steps,
                        const std::set<std::string>& kept) {
  std::vector<std::pair<std::string, std::string>> parts;  // of each step: the digest, and what is to be kept under it
  parts.reserve(steps.size());
  for (const auto& step : steps) {
    const bool is_made = step.make_parts != nullptr && !kept.contains(step.parts_digest);
    std::string text =
        step.parts_digest.empty() || is_made ? encode(is_made ? step.make_parts() : step.parts, step) : "";
    parts.emplace_back(step.parts_digest.empty() ? base::Digest::of(text).str() : step.parts_digest, std::move(text));
  }
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto find, database_.prepare("SELECT seq FROM jobs WHERE id = ?"));
    INGOT_TRY(const bool found, find.bind(1, job).step());
    if (!found) return {};
    const std::int64_t seq = find.number(0);
    // A job that is run again after a restart says what it did at last.
    INGOT_TRY(auto deletion, database_.prepare("DELETE FROM job_steps WHERE job = ?"));
    INGOT_CHECK(deletion.bind(1, seq).run());
    INGOT_TRY(auto keeping, database_.prepare("INSERT OR IGNORE INTO step_parts VALUES (?, ?)"));
    INGOT_TRY(auto insertion,
              database_.prepare("INSERT INTO job_steps (job, number, place, target, text, position, how, milliseconds, "
                                "asked_to_run, parts, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const StepRecord& step = steps[i];
      const auto& [digest, text] = parts[i];
      if (!text.empty()) INGOT_CHECK(keeping.bind(1, digest).bind(2, text).run());
      insertion.bind(1, seq).bind(2, std::int64_t{step.number}).bind(3, std::int64_t{step.place}).bind(4, step.target);
      insertion.bind(5, step.text).bind(6, step.position).bind(7, step.how);
      insertion.bind(8, static_cast<std::int64_t>(step.seconds * 1000)).bind(9, std::int64_t{step.asked_to_run});
      INGOT_CHECK(insertion.bind(10, digest).bind(11, static_cast<std::int64_t>(step.bytes)).run());
    }
    return {};
  });
}

Result<std::uint64_t> StepTable::expected_bytes(const std::string& project, const std::string& target,
                                                const std::string& text) const {
  std::uint64_t bytes = 0;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT s.bytes FROM job_steps s JOIN jobs j ON j.seq = s.job WHERE s.target = ? AND "
                                "s.text = ? AND s.how = 'executed' AND json_extract(j.spec, '$.project') = ? "
                                "ORDER BY s.job DESC LIMIT 1"));
    INGOT_TRY(bool found, query.bind(1, target).bind(2, text).bind(3, project).step());
    if (found) bytes = static_cast<std::uint64_t>(query.number(0));
    return {};
  }));
  return bytes;
}

Result<std::uint64_t> StepTable::expected_artifacts(const std::string& project, const std::string& target) const {
  std::uint64_t bytes = 0;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT coalesce(sum(size), 0) FROM artifacts WHERE job = (SELECT seq FROM jobs WHERE "
                                "state = 'succeeded' AND json_extract(spec, '$.target') = ? AND json_extract(spec, "
                                "'$.project') = ? ORDER BY seq DESC LIMIT 1)"));
    INGOT_CHECK(query.bind(1, target).bind(2, project).step());
    bytes = static_cast<std::uint64_t>(query.number(0));
    return {};
  }));
  return bytes;
}

Result<std::vector<StepTable::Row>> StepTable::rows(const std::string& job) const {
  std::vector<Row> rows;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT s.job, number, place, target, text, position, how, milliseconds, asked_to_run, "
                                "p.parts, json_extract(j.spec, '$.no_cache'), EXISTS (SELECT 1 FROM "
                                "json_each(j.spec, '$.no_cache_targets') WHERE value = s.target OR "
                                "instr(s.target, value || ' (') = 1) FROM job_steps s JOIN "
                                "jobs j ON j.seq = s.job JOIN step_parts p ON p.digest = "
                                "s.parts WHERE j.id = ? ORDER BY number"));
    query.bind(1, job);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      Row row;
      row.job = query.number(0);
      row.step.number = static_cast<int>(query.number(1));
      row.step.place = static_cast<int>(query.number(2));
      row.step.target = query.text(3);
      row.step.text = query.text(4);
      row.step.position = query.text(5);
      row.step.how = query.text(6);
      row.step.seconds = static_cast<double>(query.number(7)) / 1000;
      row.step.asked_to_run = query.number(8) != 0;
      row.step.parts = decode(query.text(9));
      const bool by_job = query.number(10) != 0;
      const bool by_target = query.number(11) != 0;
      row.asked_by = by_job ? "--no-cache" : by_target ? "--no-cache=" + row.step.target : "RUN --no-cache";
      rows.push_back(std::move(row));
    }
  }));
  return rows;
}

// Against the last job whose target had the same line, of the same project first; else one at the same place of it.
Status StepTable::compare(const Row& row, proto::StepReport& report) const {
  // Another project's equal line says something too, but its line at the same place nothing.
  static const std::string kMine =
      "(json_extract(j.spec, '$.project') = (SELECT json_extract(spec, '$.project') FROM jobs WHERE seq = ?3))";
  for (const bool by_text : {true, false}) {
    INGOT_TRY(auto query,
              database_.prepare("SELECT j.id, s.text, p.parts FROM job_steps s JOIN jobs j ON j.seq = s.job "
                                "JOIN step_parts p ON p.digest = s.parts WHERE s.target = ?1 AND " +
                                (by_text ? std::string("s.text = ?2") : "s.place = ?2 AND " + kMine) +
                                " AND s.job < ?3 AND s.how <> 'failed' ORDER BY " + kMine +
                                " DESC, s.job DESC, abs(s.place - ?4) LIMIT 1"));
    query.bind(1, row.step.target).bind(3, row.job).bind(4, std::int64_t{row.step.place});
    if (by_text)
      query.bind(2, row.step.text);
    else
      query.bind(2, std::int64_t{row.step.place});
    INGOT_TRY(bool found, query.step());
    if (!found) continue;
    report.compared_with = query.text(0);
    if (!by_text) report.reasons.push_back("the line was: " + query.text(1));
    for (auto& difference : differences(decode(query.text(2)), row.step.parts)) {
      report.reasons.push_back(std::move(difference));
    }
    if (report.reasons.empty()) report.reasons.emplace_back("nothing changed; its result was not kept");
    return {};
  }
  report.reasons.emplace_back("no earlier job had this step");
  return {};
}

Result<std::vector<proto::StepReport>> StepTable::reports(const std::string& job) const {
  INGOT_TRY(auto all, rows(job));
  std::vector<proto::StepReport> reports;
  INGOT_CHECK(database_.read([&]() -> Status {
    for (const auto& row : all) {
      proto::StepReport report;
      report.step = std::to_string(row.step.number);
      report.target = row.step.target;
      report.text = row.step.text;
      report.position = row.step.position;
      report.how = row.step.how;
      report.seconds = row.step.seconds;
      const bool ran = row.step.how == "executed" || row.step.how == "failed";
      if (ran && row.step.asked_to_run)
        report.reasons.push_back("it was to run anew: " + row.asked_by);
      else if (ran)
        INGOT_CHECK(compare(row, report));
      reports.push_back(std::move(report));
    }
    return {};
  }));
  return reports;
}

}  // namespace ingot::jobs
