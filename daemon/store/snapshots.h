#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/db/database.h"
#include "daemon/store/trash.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

using SnapshotId = std::int64_t;

// The place of a layer that is being written; it goes with the object, through the trash when much is in it.
class PendingDirectory {
 public:
  PendingDirectory(fs::path path, std::shared_ptr<Trash> trash) : path_(std::move(path)), trash_(std::move(trash)) {}
  PendingDirectory(PendingDirectory&& other) noexcept;
  PendingDirectory& operator=(PendingDirectory&& other) noexcept;
  ~PendingDirectory();
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;  // empty once moved from
  std::shared_ptr<Trash> trash_;
};

// A layer that is being written. Removed with the object unless it was committed.
struct PendingSnapshot {
  PendingDirectory directory;
  std::optional<SnapshotId> parent;
  fs::path upper() const { return directory.path() / "fs"; }
  fs::path work() const { return directory.path() / "work"; }
};

// Directories that overlayfs stacks: snapshots/<id>, each immutable and on top of its parent. Thread-safe.
class SnapshotStore {
 public:
  // Puts what was pending at a crash aside.
  static Result<SnapshotStore> open(const fs::path& directory, db::Database& database);

  const fs::path& directory() const { return directory_; }
  Result<PendingSnapshot> begin(std::optional<SnapshotId> parent);
  // fsyncs the tree, renames it and records it: once an id is out, a power cut cannot take it back.
  Result<SnapshotId> commit(PendingSnapshot pending);
  // Bottom first. Kind `not_found` when it, or the directory of one below it, is not there.
  Result<std::vector<fs::path>> layers(SnapshotId id) const;
  // One that no other stands on, and no image, else kind `conflict`. Its bytes are free some time later.
  Status remove(SnapshotId id);
  // All that no image and no other kept snapshot stands on. Only when no job runs: at start.
  Status remove_unreferenced();
  // The removed ones' bytes are free when it returns.
  void reclaim_now() { trash_->empty_now(); }

 private:
  SnapshotStore(fs::path directory, db::Database& database, std::shared_ptr<Trash> trash);
  Result<std::vector<SnapshotId>> unreferenced() const;
  Status put_in_place(const fs::path& upper, SnapshotId id) const;

  fs::path directory_;
  db::Database* database_;
  std::shared_ptr<Trash> trash_;
};

}  // namespace ingot::store
