#include "daemon/solver/mounted_snapshot.h"

namespace ingot::solver {

Result<MountedSnapshot> MountedSnapshot::mount(store::SnapshotStore& snapshots, store::SnapshotId id) {
  INGOT_TRY(auto layers, snapshots.layers(id));
  INGOT_TRY(auto directory, sys::TempDir::create(snapshots.directory() / "pending", "look-"));
  INGOT_TRY(auto mount, sys::mount_overlay(layers, "", "", directory.path(), snapshots.directory()));
  return MountedSnapshot(std::move(directory), std::move(mount));
}

}  // namespace ingot::solver
