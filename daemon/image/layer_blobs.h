#pragma once

#include <optional>

#include "daemon/base/keyed_mutex.h"
#include "daemon/db/database.h"
#include "daemon/image/layer_blob.h"
#include "daemon/store/blob_composer.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/cancel.h"
#include "proto/types.h"

namespace ingot::image {

// The blob that a layer of a fetched image came as: images that are built on it carry that one. In a transaction.
Status record_fetched_layer(db::Database& database, store::SnapshotId snapshot, const LayerBlob& blob);

// The layer blobs of snapshots: of one that came with an image its own, of all others one that is made once.
// Thread-safe.
class LayerBlobs {
 public:
  LayerBlobs(db::Database& database, const store::BlobStore& blobs, store::SnapshotStore& snapshots)
      : database_(database), blobs_(blobs), composed_(database, blobs), snapshots_(snapshots) {}

  // Of every layer of a snapshot, bottom first; what did not come with an image is packed in this form. They are no
  // more than docker takes: of a long chain, layers above its base are joined.
  Result<std::vector<LayerBlob>> of(store::SnapshotId snapshot, const LayerForm& form, const sys::CancelToken& cancel);
  // One that is composed, packed for a registry.
  Result<LayerBlob> packed(const base::Digest& diff_id, proto::Compression compression, const sys::CancelToken& cancel);
  const store::ComposedBlobs& composed() const { return composed_; }

 private:
  using Layer = store::SnapshotStore::ImageLayer;
  Result<store::SnapshotId> base_of(store::SnapshotId snapshot) const;
  Result<LayerBlob> make(const Layer& layer, const LayerForm& form, const std::string& name,
                         const sys::CancelToken& cancel);
  Result<LayerBlob> compose(const Layer& layer, const store::TarOptions& options, const std::string& name,
                            const sys::CancelToken& cancel);
  Result<store::BlobComposer::Files> files_of(const Layer& layer);
  Result<std::optional<LayerBlob>> find(const std::string& query_text, const std::string& key,
                                        const std::string& form) const;

  db::Database& database_;
  const store::BlobStore& blobs_;
  const store::ComposedBlobs composed_;
  store::SnapshotStore& snapshots_;
  base::KeyedMutex being_made_;
};

}  // namespace ingot::image
