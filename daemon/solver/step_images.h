#pragma once

#include "daemon/graph/graph.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/store/blobs.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::solver {

// The images that a step finds in directories of its own, see graph::StepImage. Thread-safe.
class StepImages {
 public:
  StepImages(image::LayerBlobs& layers, store::BlobStore& blobs, store::SnapshotStore& snapshots,
             sys::fs::path work_directory)
      : layers_(layers), blobs_(blobs), snapshots_(snapshots), work_directory_(std::move(work_directory)) {}

  // Its manifest's digest. Its blobs are to be held while they are used.
  Result<base::Digest> build(const graph::StepImage& image, store::SnapshotId snapshot, const sys::CancelToken& cancel);
  // An OCI layout that docker can load too, once it is a tar.
  Result<sys::TempDir> lay_out(const graph::StepImage& image, store::SnapshotId snapshot,
                               const sys::CancelToken& cancel);

  store::BlobStore& blobs() { return blobs_; }

 private:
  image::LayerBlobs& layers_;
  store::BlobStore& blobs_;
  store::SnapshotStore& snapshots_;
  sys::fs::path work_directory_;
};

}  // namespace ingot::solver
