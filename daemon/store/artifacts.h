#pragma once

#include <vector>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/sys/rooted.h"
#include "proto/types.h"

namespace ingot::store {

// SAVE ARTIFACT: what `save` selects of a mounted file system, kept by digest. A directory becomes a tar whose bytes
// depend on its content only. The artifacts' ids are left empty.
Result<std::vector<proto::Artifact>> save_artifacts(const graph::SaveArtifact& save, const sys::RootedDir& root,
                                                    const BlobStore& blobs);

std::string media_type_of(const std::string& name);

}  // namespace ingot::store
