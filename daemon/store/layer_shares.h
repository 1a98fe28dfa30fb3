#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/leases.h"
#include "daemon/store/shared_file.h"

namespace ingot::store {

// Bytes that a new layer has in common with others, which are counted there.
struct LayerShares {
  std::map<SnapshotId, std::uint64_t> with_layers;
  std::map<SnapshotId, std::uint64_t> with_twins_of;  // by the layer whose files have twins
  std::set<SnapshotId> made_twins_of;                 // these are the new layer's own
  std::map<std::string, SharedFile> with_blobs = {};  // by digest

  std::uint64_t bytes() const;
};

// All of these within a transaction of the caller's.
Status record_shares(db::Database& database, SnapshotId layer, const LayerShares& shares);
// A file of the layer is a blob too from now on, and counted as one. False: it was not counted at the layer.
Result<bool> record_blob_share(db::Database& database, SnapshotId layer, const base::Digest& blob,
                               const SharedFile& file);
// It did not become one.
Status withdraw_blob_share(db::Database& database, SnapshotId layer, const base::Digest& blob);
// The blob is gone; the file counts as that of the first layer that has it.
Status forget_blob_share(db::Database& database, const base::Digest& blob);

// A blob's file that a layer has from another one.
struct InheritedFile {
  SnapshotId layer = 0;
  std::string digest;
  SharedFile file;
};
// When the layer `from` goes, what others have from it of blobs is the blobs' still, and nobody's to count.
Status hand_over(db::Database& database, SnapshotId from, const std::vector<InheritedFile>& files);

// These look into layers, by `has`, so they are better called outside of a transaction.
using LayerHasFile = std::function<bool(SnapshotId, ino_t)>;
Result<std::vector<InheritedFile>> inherited_files(db::Database& database, SnapshotId of, const LayerHasFile& has);
// Where a layer's file is counted: at itself, or at one that it has the file from.
Result<SnapshotId> counted_at(db::Database& database, SnapshotId layer, const SharedFile& file,
                              const LayerHasFile& has);

// In a transaction of its own, at a start: the shares of blobs that a daemon did not live to make, or had removed.
Status forget_shares_of_absent(db::Database& database, const BlobStore& blobs);

}  // namespace ingot::store
