#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "proto/cache.h"

namespace ingot::api {

Response get_cache(const Services& services, const Request& /*request*/) {
  auto usage = services.cache.usage();
  if (!usage) return error_response(usage.error());
  proto::CacheUsage answer;
  answer.layers = usage->layers;
  answer.bytes = usage->layer_bytes;
  answer.image_bytes = usage->image_bytes;
  answer.in_use_bytes = usage->in_use_bytes;
  answer.blobs = usage->others.blobs;
  answer.blob_bytes = usage->others.blob_bytes;
  answer.contexts = usage->others.contexts;
  answer.context_bytes = usage->others.context_bytes;
  answer.log_bytes = usage->others.log_bytes;
  answer.cache_mounts = usage->others.cache_mounts;
  answer.cache_mount_bytes = usage->others.cache_mount_bytes;
  answer.total_bytes = usage->total_bytes();
  answer.max_bytes = usage->max_bytes;
  if (auto free = services.cache.free_bytes()) answer.free_bytes = *free;
  return json_response(200, proto::dump(proto::to_json(answer)));
}

Response prune_cache(const Services& services, const Request& request) {
  auto body = proto::parse_json(request.body.empty() ? "{}" : request.body);
  if (!body) return error_response(body.error());
  auto wanted = proto::cache_prune_from_json(*body);
  if (!wanted) return error_response(wanted.error());
  constexpr std::uint64_t kLongest = 1'000'000'000;  // seconds; what is older is older than this program
  const auto age = std::min(wanted->older_than_seconds, kLongest);
  auto pruned = services.cache.prune({wanted->keep_bytes, static_cast<std::int64_t>(age) * 1000, wanted->dry_run});
  if (!pruned) return error_response(pruned.error());
  proto::CachePruned answer;
  answer.layers = pruned->layers;
  answer.bytes = pruned->bytes;
  answer.cache_mounts = pruned->cache_mounts;
  answer.cache_mount_bytes = pruned->cache_mount_bytes;
  if (services.sweep) {
    auto swept = services.sweep(wanted->dry_run);
    if (!swept) return error_response(swept.error());
    answer.contexts = swept->contexts;
    answer.blobs = swept->blobs;
    answer.blob_bytes = swept->bytes;
  }
  return json_response(200, proto::dump(proto::to_json(answer)));
}

}  // namespace ingot::api
