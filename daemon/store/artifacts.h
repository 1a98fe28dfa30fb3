#pragma once

#include <functional>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/store/layer_files.h"
#include "daemon/store/shared_file.h"
#include "daemon/sys/rooted.h"
#include "proto/types.h"

namespace ingot::store {

// Where the file system that is saved from has its files, and who counts a layer's file that becomes a blob.
struct ArtifactLayers {
  LayerFiles files;
  std::function<CountsAsBlob(const std::string& layer, const base::Digest& digest, const SharedFile& file)> counts;
};

// SAVE ARTIFACT: what `save` selects of a mounted file system, kept by digest. A directory becomes a tar whose bytes
// depend on its content only; a file that a layer has for itself gets a second name where that can be done. The
// artifacts' ids are left empty.
Result<std::vector<proto::Artifact>> save_artifacts(const graph::SaveArtifact& save, const sys::RootedDir& root,
                                                    const BlobStore& blobs, const ArtifactLayers* layers = nullptr);

std::string media_type_of(const std::string& name);

}  // namespace ingot::store
