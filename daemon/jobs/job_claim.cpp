#include <fmt/format.h>

#include "daemon/jobs/job_table.h"

// Whose turn it is in the queue.
namespace ingot::jobs {

Result<std::optional<proto::Job>> JobTable::claim(Which which) {
  // The first of the jobs that are by themselves, and of each sweep: a sweep is one in the queue, however many cells it
  // has. Of equal priority that is next which has the fewest running, then whose last turn is longest ago, then what is
  // by itself.
  constexpr std::string_view kSingle =
      "SELECT * FROM (SELECT seq, priority, (SELECT count(*) FROM jobs WHERE state = 'running' AND sweep IS NULL) AS "
      "running, (SELECT max(turn) FROM jobs WHERE sweep IS NULL) AS turn, 0 AS is_cell FROM jobs "
      "WHERE state = 'queued' AND sweep IS NULL ORDER BY priority DESC, seq LIMIT 1)";
  constexpr std::string_view kCells =
      " UNION ALL SELECT j.seq, j.priority, s.running, s.turn, 1 FROM "
      "(SELECT seq, held, parallel, turn, "
      "(SELECT count(*) FROM jobs r WHERE r.sweep = w.seq AND r.state = 'running') AS running "
      "FROM sweeps w WHERE finished_ms IS NULL) s "
      "JOIN jobs j ON j.seq = (SELECT q.seq FROM jobs q WHERE q.sweep = s.seq AND q.state = 'queued' "
      "AND (s.held = 0 OR q.cell = 0) ORDER BY q.priority DESC, q.seq LIMIT 1) "
      "WHERE s.parallel = 0 OR s.running < s.parallel";
  std::optional<proto::Job> claimed;
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto next, database_->prepare(fmt::format(
                             "SELECT id FROM jobs WHERE seq = (SELECT seq FROM ({}{}) ORDER BY priority DESC, running, "
                             "turn, is_cell, seq LIMIT 1)",
                             kSingle, which == Which::any ? kCells : "")));
    INGOT_TRY(bool found, next.step());
    if (!found) return {};
    const std::string id = next.text(0);
    INGOT_TRY(auto update,
              database_->prepare("UPDATE jobs SET state = 'running', attempts = attempts + 1, "
                                 "started_ms = max(created_ms, ?), turn = 1 + (SELECT max(turn) FROM jobs) "
                                 "WHERE id = ?"));
    INGOT_CHECK(update.bind(1, clock_->unix_ms()).bind(2, id).run());
    for (const char* made_before : {"artifacts", "job_images", "job_repositories"}) {
      INGOT_TRY(auto forget, database_->prepare(fmt::format(
                                 "DELETE FROM {} WHERE job = (SELECT seq FROM jobs WHERE id = ?)", made_before)));
      INGOT_CHECK(forget.bind(1, id).run());
    }
    INGOT_TRY(auto serve,
              database_->prepare("UPDATE sweeps SET turn = (SELECT turn FROM jobs WHERE id = ?1) WHERE seq = "
                                 "(SELECT sweep FROM jobs WHERE id = ?1)"));
    INGOT_CHECK(serve.bind(1, id).run());
    INGOT_TRY(claimed, find_exact(id));
    return {};
  }));
  return claimed;
}

}  // namespace ingot::jobs
