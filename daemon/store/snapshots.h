#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/db/database.h"
#include "daemon/store/equal_layers.h"
#include "daemon/store/file_twins.h"
#include "daemon/store/joined_layers.h"
#include "daemon/store/layer_shares.h"
#include "daemon/store/leases.h"
#include "daemon/store/snapshot_sync.h"
#include "daemon/store/trash.h"
#include "daemon/store/unsynced_marks.h"
#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

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
  LayerShares shares = {};  // what of it is counted elsewhere
  fs::path upper() const { return directory.path() / "fs"; }
  fs::path work() const { return directory.path() / "work"; }
};

// Directories that overlayfs stacks: snapshots/<id>, each immutable and on top of its parent. Thread-safe.
class SnapshotStore {
 public:
  // Puts what was pending at a crash aside, and what a power cut may have taken.
  static Result<SnapshotStore> open(const fs::path& directory, db::Database& database,
                                    const std::string& boot = current_boot_id());

  const fs::path& directory() const { return directory_; }
  const FileTwins& twins() const { return twins_; }
  Result<PendingSnapshot> begin(std::optional<SnapshotId> parent);
  // Renames the tree and records it, together with what `also` writes. The disk has it some seconds later: until then a
  // power cut takes it back whole, with all that stands on it, and no other end of the daemon does.
  Result<Lease> commit(PendingSnapshot pending, const std::function<Status(SnapshotId)>& also = {});
  // For a file of the layer that is to become a blob.
  CountsAsBlob counts_as_blob(const std::string& layer, const base::Digest& digest, const SharedFile& file);
  // Keeps it while the lease lives. `find` says which, or none; nothing is collected meanwhile.
  Result<std::optional<Lease>> lease(const std::function<Result<std::optional<SnapshotId>>()>& find);
  Lease lease(SnapshotId id) { return leases_->take(id); }
  Result<std::int64_t> created_ms(SnapshotId id) const;
  Result<std::uint64_t> layer_bytes(SnapshotId id) const;  // its own
  Result<std::uint64_t> chain_bytes(SnapshotId id) const;  // with all that it stands on
  // Whether its own layer is where it should be.
  bool is_there(SnapshotId id) const;
  // Bottom first, long chains shortened. Kind `not_found` when it, or the directory of one below it, is not there.
  Result<std::vector<fs::path>> layers(SnapshotId id) const;
  // A layer of an image: a snapshot's own, or a run of them joined into one, from the snapshot `first` up to `last`.
  struct ImageLayer {
    fs::path path;
    SnapshotId first = 0;
    SnapshotId last = 0;
  };
  // Bottom first, no more than `most` where that can be; those up to the snapshot `base` stay what they are.
  Result<std::vector<ImageLayer>> image_layers(SnapshotId id, SnapshotId base, std::size_t most) const;
  // Whether both show the same files, times aside. Ends at the first difference.
  Result<bool> same_content(SnapshotId one, SnapshotId other);
  // Of the files that it shows, layer by layer, times aside. Reads a layer's content at most once in its life.
  Result<base::Digest> content_digest(SnapshotId id);
  // One that no other stands on, no image and nobody at work, else kind `conflict`. The steps that it is the result of
  // are forgotten. Its bytes are free some time later.
  Status remove(SnapshotId id);
  // Its image is forgotten, if nobody is at work on it; false when somebody is.
  Result<bool> forget_image(SnapshotId id);
  // Notes that these are of use still.
  Status touch(const std::vector<SnapshotId>& ids);
  std::vector<SnapshotId> leased() const { return leases_->held(); }
  // All that no image, no known step and no other kept snapshot stands on. Only when no job runs: at start.
  Status remove_unreferenced();
  Status sync_now() { return sync_->sync_now(); }
  // The removed ones' bytes are free when it returns.
  void reclaim_now();
  void remove_unused_twins() const { twins_.remove_unused(); }

 private:
  struct Layer {
    SnapshotId id;
    std::uint64_t bytes;
    std::uint64_t entries;
    base::Digest digest;  // empty: not known yet
  };
  SnapshotStore(fs::path directory, db::Database& database, std::shared_ptr<Trash> trash,
                std::unique_ptr<JoinedLayers> joined, FileTwins twins, const std::string& boot);
  Status forget_lost(const std::string& boot) const;
  Result<std::vector<SnapshotId>> unreferenced() const;
  Result<std::vector<Layer>> chain(SnapshotId id) const;
  Result<std::vector<fs::path>> own_layers(SnapshotId id) const;
  Result<base::Digest> layer_digest(const Layer& layer) const;
  Result<bool> same_layer(const Layer& one, const Layer& other) const;
  Status put_in_place(const fs::path& upper, SnapshotId id) const;
  Status delete_row(SnapshotId id, const std::vector<InheritedFile>& inherited) const;
  Result<SnapshotId> holder_of(SnapshotId id, const SharedFile& file) const;
  Result<std::vector<InheritedFile>> inherited_from(SnapshotId id) const;
  bool layer_has(SnapshotId id, ino_t inode) const { return finder_->has(directory_ / std::to_string(id), inode); }

  fs::path directory_;
  db::Database* database_;
  std::shared_ptr<Trash> trash_;
  std::unique_ptr<JoinedLayers> joined_;
  FileTwins twins_;
  std::shared_ptr<LeaseTable> leases_ = std::make_shared<LeaseTable>();
  std::unique_ptr<SnapshotSync> sync_;
  std::unique_ptr<FileFinder> finder_ = std::make_unique<FileFinder>();
  std::unique_ptr<EqualLayers> equal_ = std::make_unique<EqualLayers>();
};

}  // namespace ingot::store
