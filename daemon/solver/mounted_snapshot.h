#pragma once

#include "daemon/store/snapshots.h"
#include "daemon/sys/mounts.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::solver {

// A snapshot's merged file system, mounted read-only as long as this lives.
class MountedSnapshot {
 public:
  static Result<MountedSnapshot> mount(store::SnapshotStore& snapshots, store::SnapshotId id);
  const sys::fs::path& path() const { return mount_.path(); }
  // At its end it is unmounted too, but then nobody hears that it could not be.
  Status unmount() { return mount_.unmount(); }

 private:
  MountedSnapshot(sys::TempDir directory, sys::Mount mount)
      : directory_(std::move(directory)), mount_(std::move(mount)) {}
  sys::TempDir directory_;  // outlives what is mounted on it
  sys::Mount mount_;
};

}  // namespace ingot::solver
