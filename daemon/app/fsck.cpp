#include "daemon/app/fsck.h"

#include <fmt/format.h>

#include "daemon/app/fsck_parts.h"
#include "daemon/app/state_lock.h"
#include "daemon/base/strings.h"
#include "daemon/store/layer_shares.h"
#include "daemon/sys/files.h"

namespace ingot::app {

using base::fail;

Result<std::vector<std::vector<std::string>>> FsckRun::rows(const std::string& sql, int columns) const {
  std::vector<std::vector<std::string>> found;
  INGOT_CHECK(database.read([&]() -> Status {
    INGOT_TRY(auto query, database.prepare(sql));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      std::vector<std::string> row;
      row.reserve(static_cast<std::size_t>(columns));
      for (int column = 0; column < columns; ++column) row.push_back(query.text(column));
      found.push_back(std::move(row));
    }
  }));
  return found;
}

Status FsckRun::change(const std::string& sql, const std::vector<std::string>& parameters) const {
  return database.transaction([&]() -> Status {
    INGOT_TRY(auto statement, database.prepare(sql));
    int index = 0;
    for (const auto& parameter : parameters) statement.bind(++index, parameter);
    return statement.run();
  });
}

std::vector<fs::path> fsck_entries(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  return entries;
}

Status check_database(FsckRun& run) {
  INGOT_TRY(auto problems, run.rows("PRAGMA integrity_check(20)", 1));
  for (const auto& row : problems) {
    if (row[0] != "ok") run.left("database: " + base::printable(row[0]));
  }
  INGOT_TRY(auto dangling, run.rows("PRAGMA foreign_key_check", 3));
  for (const auto& row : dangling) {
    run.left(fmt::format("database: row {} of {} refers to a row of {} that is not there", row[1], row[0], row[2]));
  }
  return {};
}

Status check_logs(FsckRun& run) {
  for (const auto& file : fsck_entries(run.state / "logs")) {
    if (file.extension() != ".ndjson") continue;
    bool known = false;
    INGOT_CHECK(run.database.read([&]() -> Status {
      INGOT_TRY(auto query, run.database.prepare("SELECT 1 FROM jobs WHERE id = ?"));
      INGOT_TRY(known, query.bind(1, file.stem().string()).step());
      return {};
    }));
    if (known) continue;
    std::error_code error;
    if (fs::remove(file, error))
      run.mended("log " + base::printable(file.filename().string()) + " is of no job: removed");
    else
      run.left("log " + base::printable(file.filename().string()) + " is of no job, and cannot be removed");
  }
  return {};
}

Result<FsckResult> fsck(const fs::path& state, FsckDepth depth, const std::function<void(const std::string&)>& tell) {
  if (std::error_code error; !fs::exists(state / "ingot.db", error)) {
    return fail(ErrorKind::not_found, "there is no database in " + state.string(),
                "name the daemon's state directory with --state-dir");
  }
  auto lock = lock_state(state);
  if (!lock && lock.error().kind == ErrorKind::conflict) {
    return fail(ErrorKind::conflict, "a daemon uses the state directory " + state.string(),
                "stop it first: `systemctl stop ingotd`");
  }
  if (!lock) return fail(lock.error());
  INGOT_TRY(auto database, db::Database::open(state / "ingot.db"));
  FsckRun run{state, depth, *database, tell};
  INGOT_CHECK(check_database(run));
  if (run.result.left > 0) return run.result;  // nothing that it says is to be relied on
  // As at a start: what was being written goes, and what a power cut may have damaged.
  INGOT_TRY(auto blobs, store::BlobStore::open(state / "blobs"));
  INGOT_CHECK(store::forget_shares_of_absent(*database, blobs));
  INGOT_TRY(auto contexts, store::ContextStore::open(state / "contexts", blobs, {}));
  INGOT_CHECK(check_snapshots(run));
  INGOT_CHECK(check_blobs(run));
  INGOT_CHECK(check_contexts(run));
  INGOT_CHECK(check_composed_blobs(run));
  INGOT_CHECK(check_layer_blobs(run));
  INGOT_CHECK(check_artifacts(run));
  INGOT_CHECK(check_logs(run));
  INGOT_CHECK(check_loose_blobs(run, blobs, contexts));
  return run.result;
}

}  // namespace ingot::app
