#pragma once

#include <map>
#include <optional>
#include <string>

#include "daemon/graph/graph.h"
#include "daemon/image/layer_blobs.h"
#include "proto/types.h"

namespace ingot::image {

inline constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";

struct BuiltImage {
  std::string name;
  base::Digest digest;  // of its manifest, which is a blob too
  std::uint64_t manifest_size = 0;
  std::string checksum;    // of the manifest's bytes
  std::uint64_t size = 0;  // of everything that travels
  std::size_t layers = 0;
};

struct ImageRequest {
  const graph::SaveImage& save;
  store::SnapshotId snapshot = 0;
  std::int64_t created = 0;  // seconds since the epoch
  LayerForm form;            // with a latest time, `created` is that
  std::map<std::string, std::string> annotations;
};

// SAVE IMAGE: the blobs of an OCI image. Equal content is an equal digest.
Result<BuiltImage> build_image(const ImageRequest& request, LayerBlobs& layers, const store::BlobStore& blobs,
                               const sys::CancelToken& cancel);

}  // namespace ingot::image
