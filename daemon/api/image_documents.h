#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/store/blobs.h"

// What the daemon keeps of images as they travel: manifests and indexes, by digest.
namespace ingot::api {

// The manifest or index of this digest; empty when it is gone.
nlohmann::json image_document(const store::BlobStore& blobs, const std::string& digest);

// Of one of its descriptors.
std::uint64_t size_in(const nlohmann::json& descriptor);

// Of what a manifest names: configuration and layers.
struct ManifestSize {
  std::uint64_t bytes = 0;
  int layers = 0;
};
ManifestSize size_of_manifest(const nlohmann::json& manifest);

}  // namespace ingot::api
