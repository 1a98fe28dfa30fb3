#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/codec.h"

namespace ingot::proto {

inline constexpr const char* kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
// Of an image of several platforms, which has a manifest for each.
inline constexpr const char* kIndexMediaType = "application/vnd.oci.image.index.v1+json";

// An image that a job made, as `ingot images` lists it.
struct ImageInfo {
  std::string name;
  std::string digest;  // of its manifest, or of its index
  std::string job;
  std::int64_t created_ms = 0;
  std::uint64_t size = 0;  // of all that travels: configuration, layers, manifest
  int layers = 0;
  std::vector<std::string> platforms = {};  // empty: the daemon's own
};

// What is to be pushed where.
struct ImagePush {
  std::string digest;     // of the manifest or index of an image that a job made
  std::string name;       // [registry/]name[:tag]
  bool insecure = false;  // a registry without TLS
};

struct ImagePushed {
  std::string name;
  std::string digest;
  std::uint64_t bytes = 0;       // of all its layers
  std::uint64_t sent_bytes = 0;  // of those that the registry lacked
};

// One line of the answer to a push: how it goes on, and at last what came of it.
struct PushNews {
  std::string text;
  std::optional<ImagePushed> pushed;
  std::optional<Error> error;
};

nlohmann::json to_json(const ImageInfo& value);
Decoded<ImageInfo> image_info_from_json(const nlohmann::json& body);
nlohmann::json to_json(const ImagePush& value);
Decoded<ImagePush> image_push_from_json(const nlohmann::json& body);
nlohmann::json to_json(const ImagePushed& value);
nlohmann::json to_json(const PushNews& value);
Decoded<PushNews> push_news_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
