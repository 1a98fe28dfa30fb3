#include "daemon/store/snapshots.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

// Makes what a step wrote survive a power cut. Nothing written (the commonest case of a RUN that only checks
// something) costs one fsync; otherwise one syncfs is cheaper than an fsync for each of many files.
Status sync_tree(const fs::path& tree) {
  INGOT_TRY(auto fd, sys::open_file(tree, O_RDONLY | O_DIRECTORY));
  std::error_code error;
  const bool empty = fs::is_empty(tree, error);
  if ((empty ? fsync(fd.get()) : syncfs(fd.get())) != 0) return fail_errno(errno, "cannot sync " + tree.string());
  return {};
}

}  // namespace

SnapshotStore::SnapshotStore(fs::path directory, db::Database& database)
    : directory_(std::move(directory)), database_(&database) {}

Result<SnapshotStore> SnapshotStore::open(const fs::path& directory, db::Database& database) {
  INGOT_CHECK(sys::make_directories(directory, 0711));
  SnapshotStore store(directory, database);
  for (const char* name : {"pending", "trash"}) {
    INGOT_CHECK(sys::make_directories(directory / name, 0700));
    // A large tree takes seconds to remove and is no reason to start late: aside with it, the rest can wait.
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory / name, error)) {
      if (auto removed = sys::remove_tree(entry.path()); !removed) {
        base::log::warning("{}: {}", entry.path().string(), removed.error().message);
      }
    }
  }
  return store;
}

Result<PendingSnapshot> SnapshotStore::begin(std::optional<SnapshotId> parent) {
  INGOT_TRY(auto directory, sys::TempDir::create(directory_ / "pending", ""));
  PendingSnapshot pending{std::move(directory), parent};
  INGOT_CHECK(sys::make_directories(pending.upper(), 0755));
  INGOT_CHECK(sys::make_directories(pending.work(), 0700));
  return pending;
}

Result<SnapshotId> SnapshotStore::commit(PendingSnapshot pending) {
  INGOT_CHECK(sync_tree(pending.upper()));
  SnapshotId id = 0;
  // The rename is inside of the transaction: rolled back it leaves a directory without a row, which the next start
  // removes; committed, both are durable.
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto insertion, database_->prepare("INSERT INTO snapshots (parent, created_ms) VALUES (?, ?) "
                                                 "RETURNING id"));
    if (pending.parent)
      insertion.bind(1, *pending.parent);
    else
      insertion.bind_null(1);
    insertion.bind(2, base::system_clock().unix_ms());
    INGOT_CHECK(insertion.step());
    id = insertion.number(0);
    INGOT_CHECK(insertion.run());
    if (rename(pending.upper().c_str(), (directory_ / std::to_string(id)).c_str()) != 0) {
      return fail_errno(errno, "cannot keep a snapshot");
    }
    return sys::sync_directory(directory_);
  }));
  return id;
}

Result<std::vector<fs::path>> SnapshotStore::layers(SnapshotId id) const {
  std::vector<fs::path> layers;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query,
              database_->prepare("WITH RECURSIVE chain (id, parent) AS (SELECT id, parent FROM snapshots WHERE id = ? "
                                 "UNION ALL SELECT s.id, s.parent FROM snapshots s JOIN chain c ON s.id = c.parent) "
                                 "SELECT id FROM chain ORDER BY id"));
    query.bind(1, id);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) break;
      layers.push_back(directory_ / query.text(0));
    }
    return {};
  }));
  if (layers.empty()) return fail(ErrorKind::internal, "there is no snapshot " + std::to_string(id));
  return layers;
}

Status SnapshotStore::remove(SnapshotId id) {
  const std::string name = std::to_string(id);
  INGOT_CHECK(database_->transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_->prepare("DELETE FROM snapshots WHERE id = ?"));
    return deletion.bind(1, id).run();
  }));
  const fs::path aside = directory_ / "trash" / name;
  if (rename((directory_ / name).c_str(), aside.c_str()) != 0 && errno != ENOENT) {
    return fail_errno(errno, "cannot put snapshot " + name + " aside");
  }
  return sys::remove_tree(aside);
}

Status SnapshotStore::remove_unreferenced() {
  std::set<std::string> kept;
  std::vector<SnapshotId> unreferenced;
  INGOT_CHECK(database_->read([&]() -> Status {
    INGOT_TRY(auto query, database_->prepare(
                              "WITH RECURSIVE used (id) AS (SELECT snapshot FROM images UNION "
                              "SELECT s.parent FROM snapshots s JOIN used u ON s.id = u.id WHERE s.parent IS NOT NULL) "
                              "SELECT id, id IN (SELECT id FROM used) FROM snapshots ORDER BY id DESC"));
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      if (query.number(1) != 0)
        kept.insert(query.text(0));
      else
        unreferenced.push_back(query.number(0));
    }
  }));
  for (SnapshotId id : unreferenced) INGOT_CHECK(remove(id));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    if (name == "pending" || name == "trash" || kept.contains(name)) continue;
    INGOT_CHECK(sys::remove_tree(entry.path()));
  }
  return {};
}

}  // namespace ingot::store
