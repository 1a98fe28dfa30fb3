#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "proto/codec.h"

namespace ingot::proto {

inline constexpr const char* kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";

// An image that a job made, as `ingot images` lists it.
struct ImageInfo {
  std::string name;
  std::string digest;  // of its manifest
  std::string job;
  std::int64_t created_ms = 0;
  std::uint64_t size = 0;  // of all that travels: configuration, layers, manifest
  int layers = 0;
};

nlohmann::json to_json(const ImageInfo& value);
Decoded<ImageInfo> image_info_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
