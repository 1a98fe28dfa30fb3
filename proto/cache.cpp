#include "proto/cache.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

nlohmann::json to_json(const CacheUsage& value) {
  return {{"layers", value.layers},
          {"bytes", value.bytes},
          {"image_bytes", value.image_bytes},
          {"in_use_bytes", value.in_use_bytes},
          {"blobs", value.blobs},
          {"blob_bytes", value.blob_bytes},
          {"contexts", value.contexts},
          {"context_bytes", value.context_bytes},
          {"log_bytes", value.log_bytes},
          {"cache_mounts", value.cache_mounts},
          {"cache_mount_bytes", value.cache_mount_bytes},
          {"total_bytes", value.total_bytes},
          {"max_bytes", value.max_bytes},
          {"free_bytes", value.free_bytes}};
}

Decoded<CacheUsage> cache_usage_from_json(const nlohmann::json& body) {
  Fields fields(body, "the cache's usage");
  CacheUsage value;
  fields.require("bytes");
  fields.read_integer("layers", value.layers);
  fields.read_integer("bytes", value.bytes);
  fields.read_integer("image_bytes", value.image_bytes);
  fields.read_integer("in_use_bytes", value.in_use_bytes);
  fields.read_integer("blobs", value.blobs);
  fields.read_integer("blob_bytes", value.blob_bytes);
  fields.read_integer("contexts", value.contexts);
  fields.read_integer("context_bytes", value.context_bytes);
  fields.read_integer("log_bytes", value.log_bytes);
  fields.read_integer("cache_mounts", value.cache_mounts);
  fields.read_integer("cache_mount_bytes", value.cache_mount_bytes);
  fields.read_integer("total_bytes", value.total_bytes);
  fields.read_integer("max_bytes", value.max_bytes);
  fields.read_integer("free_bytes", value.free_bytes);
  return finish(fields, value);
}

nlohmann::json to_json(const CachePrune& value) {
  return {
      {"keep_bytes", value.keep_bytes}, {"older_than_seconds", value.older_than_seconds}, {"dry_run", value.dry_run}};
}

Decoded<CachePrune> cache_prune_from_json(const nlohmann::json& body) {
  Fields fields(body, "what to prune");
  CachePrune value;
  fields.read_integer("keep_bytes", value.keep_bytes);
  fields.read_integer("older_than_seconds", value.older_than_seconds);
  fields.read("dry_run", value.dry_run);
  return finish(fields, value);
}

nlohmann::json to_json(const CachePruned& value) {
  return {{"layers", value.layers},
          {"bytes", value.bytes},
          {"contexts", value.contexts},
          {"blobs", value.blobs},
          {"blob_bytes", value.blob_bytes},
          {"cache_mounts", value.cache_mounts},
          {"cache_mount_bytes", value.cache_mount_bytes}};
}

Decoded<CachePruned> cache_pruned_from_json(const nlohmann::json& body) {
  Fields fields(body, "what was pruned");
  CachePruned value;
  fields.require("bytes");
  fields.read_integer("layers", value.layers);
  fields.read_integer("bytes", value.bytes);
  fields.read_integer("contexts", value.contexts);
  fields.read_integer("blobs", value.blobs);
  fields.read_integer("blob_bytes", value.blob_bytes);
  fields.read_integer("cache_mounts", value.cache_mounts);
  fields.read_integer("cache_mount_bytes", value.cache_mount_bytes);
  return finish(fields, value);
}

}  // namespace ingot::proto
