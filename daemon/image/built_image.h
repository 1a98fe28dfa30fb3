#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/graph/graph.h"
#include "daemon/image/layer_blobs.h"
#include "proto/image.h"
#include "proto/types.h"

namespace ingot::image {

inline constexpr const char* kManifestType = proto::kManifestMediaType;
inline constexpr const char* kIndexType = proto::kIndexMediaType;

struct BuiltImage {
  std::string name;
  base::Digest digest;  // of its manifest, which is a blob too
  std::uint64_t manifest_size = 0;
  std::string checksum;    // of the manifest's bytes
  std::uint64_t size = 0;  // of everything that travels
  std::size_t layers = 0;
  std::vector<base::Platform> platforms;  // of an index several
};

struct ImageRequest {
  const graph::SaveImage& save;
  store::SnapshotId snapshot = 0;
  std::int64_t created = 0;  // seconds since the epoch
  LayerForm form;            // with a latest time, `created` is that
  std::map<std::string, std::string> annotations;
};

// One image of several platforms: an index of their manifests, in an order of its own. No two are for the same
// platform.
Result<BuiltImage> build_index(const std::string& name, std::vector<BuiltImage> images, const store::BlobStore& blobs);

// SAVE IMAGE: the blobs of an OCI image. Equal content is an equal digest.
Result<BuiltImage> build_image(const ImageRequest& request, LayerBlobs& layers, const store::BlobStore& blobs,
                               const sys::CancelToken& cancel);

}  // namespace ingot::image
