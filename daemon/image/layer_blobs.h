#pragma once

#include <optional>

#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/cancel.h"

namespace ingot::image {

inline constexpr const char* kGzipLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

// A layer as an image carries it: a tar in the blob store, mostly a gzipped one.
struct LayerBlob {
  base::Digest digest;
  base::Digest diff_id;  // of the tar
  std::uint64_t size = 0;
  std::string media_type = kGzipLayerType;
};

// The blob that a layer of a fetched image came as: images that are built on it carry that one. In a transaction.
Status record_fetched_layer(db::Database& database, store::SnapshotId snapshot, const LayerBlob& blob);

// The layer blobs of snapshots: of one that came with an image its own, of all others one that is made once.
// Thread-safe.
class LayerBlobs {
 public:
  LayerBlobs(db::Database& database, const store::BlobStore& blobs, const store::SnapshotStore& snapshots)
      : database_(database), blobs_(blobs), snapshots_(snapshots) {}

  // Of every layer of a snapshot, bottom first. With `latest` no file in what is made here is later than that:
  // SOURCE_DATE_EPOCH.
  Result<std::vector<LayerBlob>> of(store::SnapshotId snapshot, std::optional<std::int64_t> latest,
                                    const sys::CancelToken& cancel);

 private:
  Result<LayerBlob> make(const sys::fs::path& layer, std::optional<std::int64_t> latest,
                         const sys::CancelToken& cancel) const;
  Result<std::optional<LayerBlob>> find(const std::string& snapshot, const std::string& latest) const;

  db::Database& database_;
  const store::BlobStore& blobs_;
  const store::SnapshotStore& snapshots_;
};

}  // namespace ingot::image
