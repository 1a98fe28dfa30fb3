#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "proto/cache.h"

namespace ingot::api {

Response get_cache(const Services& services, const Request& /*request*/) {
  auto usage = services.cache.usage();
  if (!usage) return error_response(usage.error());
  proto::CacheUsage answer{usage->layers,       usage->layer_bytes, usage->image_bytes,
                           usage->in_use_bytes, usage->max_bytes,   0};
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
  return json_response(200, proto::dump(proto::to_json(proto::CachePruned{pruned->layers, pruned->bytes})));
}

}  // namespace ingot::api
