#pragma once

#include <optional>

#include "daemon/base/keyed_mutex.h"
#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/cancel.h"

namespace ingot::image {

// A layer as an image carries it: a gzipped tar in the blob store.
struct LayerBlob {
  base::Digest digest;
  base::Digest diff_id;  // of the tar
  std::uint64_t size = 0;
};

// Makes the layer blobs of snapshots, each once. Thread-safe.
class LayerBlobs {
 public:
  LayerBlobs(db::Database& database, const store::BlobStore& blobs, const store::SnapshotStore& snapshots)
      : database_(database), blobs_(blobs), snapshots_(snapshots) {}

  // Of every layer of a snapshot, bottom first. With `latest` no file is later than that: SOURCE_DATE_EPOCH.
  Result<std::vector<LayerBlob>> of(store::SnapshotId snapshot, std::optional<std::int64_t> latest,
                                    const sys::CancelToken& cancel);

 private:
  Result<LayerBlob> make(const sys::fs::path& layer, std::optional<std::int64_t> latest,
                         const sys::CancelToken& cancel) const;
  Result<std::optional<LayerBlob>> find(const std::string& snapshot, const std::string& latest) const;
  Status keep(const std::string& snapshot, const std::string& latest, const LayerBlob& blob) const;

  db::Database& database_;
  const store::BlobStore& blobs_;
  const store::SnapshotStore& snapshots_;
  base::KeyedMutex being_made_;
};

}  // namespace ingot::image
