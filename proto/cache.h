#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "proto/codec.h"

// What the daemon keeps to do nothing twice, and how to make it keep less.
namespace ingot::proto {

struct CacheUsage {
  std::uint64_t layers = 0;
  std::uint64_t bytes = 0;         // of layers
  std::uint64_t image_bytes = 0;   // of those, what kept images stand on
  std::uint64_t in_use_bytes = 0;  // of those, what builds hold at this moment
  std::uint64_t blobs = 0;         // artifacts, files of contexts, layers as images carry them
  std::uint64_t blob_bytes = 0;
  std::uint64_t contexts = 0;
  std::uint64_t context_bytes = 0;  // of their manifests; their files are blobs
  std::uint64_t log_bytes = 0;
  std::uint64_t cache_mounts = 0;       // directories of RUN --mount=type=cache and of CACHE
  std::uint64_t cache_mount_bytes = 0;  // when they were last measured
  std::uint64_t total_bytes = 0;        // what the limit is held against
  std::uint64_t max_bytes = 0;          // 0: no limit
  std::uint64_t free_bytes = 0;         // of the file system
};

struct CachePrune {
  std::uint64_t keep_bytes = 0;
  std::uint64_t older_than_seconds = 0;
  bool dry_run = false;
};

struct CachePruned {
  std::uint64_t layers = 0;
  std::uint64_t bytes = 0;  // of layers
  std::uint64_t contexts = 0;
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;  // with those of contexts
  std::uint64_t cache_mounts = 0;
  std::uint64_t cache_mount_bytes = 0;
};

nlohmann::json to_json(const CacheUsage& value);
nlohmann::json to_json(const CachePrune& value);
nlohmann::json to_json(const CachePruned& value);
Decoded<CacheUsage> cache_usage_from_json(const nlohmann::json& body);
Decoded<CachePrune> cache_prune_from_json(const nlohmann::json& body);
Decoded<CachePruned> cache_pruned_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
