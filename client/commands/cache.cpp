#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "proto/cache.h"

// cache du, cache prune.
namespace ingot::client {

namespace {

Result<int> show_usage(const Invocation& invocation) {
  INGOT_TRY(auto usage, open_daemon(invocation).cache());
  if (wants_json(invocation)) {
    print_json(proto::to_json(usage));
    return 0;
  }
  const std::string limit = usage.max_bytes == 0 ? "no limit" : base::human_bytes(usage.max_bytes);
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, std::string>>{{"layers", std::to_string(usage.layers)},
                                                        {"size", base::human_bytes(usage.bytes)},
                                                        {"of images", base::human_bytes(usage.image_bytes)},
                                                        {"in use", base::human_bytes(usage.in_use_bytes)},
                                                        {"blobs", base::human_bytes(usage.blob_bytes)},
                                                        {"contexts", base::human_bytes(usage.context_bytes)},
                                                        {"logs", base::human_bytes(usage.log_bytes)},
                                                        {"cache mounts", std::to_string(usage.cache_mounts)},
                                                        {"their size", base::human_bytes(usage.cache_mount_bytes)},
                                                        {"together", base::human_bytes(usage.total_bytes)},
                                                        {"limit", limit},
                                                        {"disk free", base::human_bytes(usage.free_bytes)}}) {
    std::printf("%-12s %12s\n", name, value.c_str());
  }
  return 0;
}

Result<int> prune(const Invocation& invocation) {
  proto::CachePrune wanted;
  if (invocation.has("--keep")) {
    INGOT_TRY(wanted.keep_bytes, base::parse_bytes(invocation.value("--keep")));
  }
  if (invocation.has("--older-than")) {
    INGOT_TRY(auto seconds, base::parse_duration(invocation.value("--older-than")));
    wanted.older_than_seconds = static_cast<std::uint64_t>(seconds);
  }
  wanted.dry_run = invocation.has("--dry-run");
  INGOT_TRY(auto pruned, open_daemon(invocation).prune_cache(wanted));
  if (wants_json(invocation)) {
    print_json(proto::to_json(pruned));
  } else if (!is_quiet(invocation)) {
    const std::string verb = wanted.dry_run ? "would remove" : "removed";
    fmt::print("{} {} layers, {}\n", verb, pruned.layers, base::human_bytes(pruned.bytes));
    if (pruned.cache_mounts > 0) {
      fmt::print("{} {} cache mounts, {}\n", verb, pruned.cache_mounts, base::human_bytes(pruned.cache_mount_bytes));
    }
    if (pruned.blobs + pruned.contexts > 0) {
      fmt::print("{} {} files and {} contexts that nobody needs, {}\n", verb, pruned.blobs, pruned.contexts,
                 base::human_bytes(pruned.blob_bytes));
    }
  }
  return 0;
}

}  // namespace

Result<int> run_cache(const Invocation& invocation) {
  INGOT_TRY(auto what, only_word(invocation, "du or prune"));
  const bool has_prune_flags =
      invocation.has("--keep") || invocation.has("--older-than") || invocation.has("--dry-run");
  if (what == "prune") return prune(invocation);
  if (what == "du" && !has_prune_flags) return show_usage(invocation);
  if (what == "du") return base::fail(ErrorKind::usage, "cache du only looks; these flags are for cache prune");
  return base::fail(ErrorKind::usage, "there is no command \"cache " + base::printable(what) + "\"",
                    base::did_you_mean(what, {"du", "prune"}));
}

}  // namespace ingot::client
