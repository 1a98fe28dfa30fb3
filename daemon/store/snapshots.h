#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/db/database.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

using SnapshotId = std::int64_t;

// A layer that is being written. Removed with the object unless it was committed.
struct PendingSnapshot {
  sys::TempDir directory;
  std::optional<SnapshotId> parent;
  fs::path upper() const { return directory.path() / "fs"; }
  fs::path work() const { return directory.path() / "work"; }
};

// Directories that overlayfs stacks: snapshots/<id>/fs, each immutable and on top of its parent. Thread-safe.
class SnapshotStore {
 public:
  // Removes what was pending at a crash.
  static Result<SnapshotStore> open(const fs::path& directory, db::Database& database);

  const fs::path& directory() const { return directory_; }
  Result<PendingSnapshot> begin(std::optional<SnapshotId> parent);
  // fsyncs the tree, renames it and records it: once an id is out, a power cut cannot take it back.
  Result<SnapshotId> commit(PendingSnapshot pending);
  Result<std::vector<fs::path>> layers(SnapshotId id) const;  // bottom first
  Status remove(SnapshotId id);                               // one that no other stands on
  // All that no image and no other kept snapshot stands on. Only when no job runs: at start.
  Status remove_unreferenced();

 private:
  SnapshotStore(fs::path directory, db::Database& database);
  fs::path directory_;
  db::Database* database_;
};

}  // namespace ingot::store
