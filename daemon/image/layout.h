#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/base/digest.h"
#include "daemon/store/composed_blobs.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::image {

// An image of the blob store, which may be an index, as an OCI layout directory, for programs that read those: it costs
// links, no bytes.
Result<sys::TempDir> lay_out(const base::Digest& manifest, const std::string& name, const store::BlobStore& blobs,
                             const store::ComposedBlobs& composed, const sys::fs::path& work_directory);

// A manifest or an index.
Result<nlohmann::json> read_document(const base::Digest& digest, const store::BlobStore& blobs);

// Every blob that a manifest names, its own included: then the configuration, then the layers. Of an index its own,
// then those of each of its manifests.
Result<std::vector<base::Digest>> blobs_of(const base::Digest& manifest, const store::BlobStore& blobs);

}  // namespace ingot::image
