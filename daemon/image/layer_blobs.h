#pragma once

#include <optional>

#include "daemon/base/keyed_mutex.h"
#include "daemon/db/database.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/cancel.h"
#include "proto/types.h"

namespace ingot::image {

inline constexpr const char* kGzipLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr const char* kZstdLayerType = "application/vnd.oci.image.layer.v1.tar+zstd";

// How a layer is packed.
struct LayerForm {
  proto::Compression compression = proto::Compression::gzip;
  std::optional<std::int64_t> latest;  // no file is later than that: SOURCE_DATE_EPOCH
};

// A layer as an image carries it: a tar in the blob store, mostly a compressed one.
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

  // Of every layer of a snapshot, bottom first; what did not come with an image is packed in this form. They are no
  // more than docker takes: of a long chain, layers above its base are joined.
  Result<std::vector<LayerBlob>> of(store::SnapshotId snapshot, const LayerForm& form, const sys::CancelToken& cancel);

 private:
  Result<store::SnapshotId> base_of(store::SnapshotId snapshot) const;
  Result<LayerBlob> make(const sys::fs::path& layer, const LayerForm& form, const sys::CancelToken& cancel) const;
  Result<std::optional<LayerBlob>> find(const std::string& snapshot, const std::string& form) const;

  db::Database& database_;
  const store::BlobStore& blobs_;
  const store::SnapshotStore& snapshots_;
  base::KeyedMutex being_made_;
};

}  // namespace ingot::image
