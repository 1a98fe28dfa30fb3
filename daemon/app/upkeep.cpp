#include "daemon/app/upkeep.h"

#include <algorithm>
#include <utility>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::app {

namespace log = base::log;

std::chrono::milliseconds upkeep_interval(const jobs::RetentionPolicy& policy,
                                          const store::Sweeper::Settings& sweeper) {
  std::int64_t shortest = std::min(sweeper.context_age_ms, sweeper.quiet_ms);
  for (const std::int64_t age : {policy.jobs_ms, policy.logs_ms, policy.artifacts_ms}) {
    if (age != 0) shortest = std::min(shortest, age);
  }
  constexpr std::int64_t kHour = 3'600'000;
  return std::chrono::milliseconds(std::clamp<std::int64_t>(shortest / 4, 250, kHour));
}

Upkeep::Upkeep(const Parts& parts, const jobs::RetentionPolicy& policy, std::chrono::milliseconds interval)
    : parts_(parts), policy_(policy), interval_(interval) {
  lookout_.start([this, is_counted = false]() mutable {
    if (!std::exchange(is_counted, true)) count();
    return round();
  });
}

void Upkeep::set_policy(const jobs::RetentionPolicy& policy, std::chrono::milliseconds interval) {
  {
    std::lock_guard lock(mutex_);
    policy_ = policy;
    interval_ = interval;
  }
  lookout_.wake();
}

void Upkeep::count() {
  if (auto counted = parts_.blobs.ledger().count(); !counted) log::warning("{}", counted.error().message);
}

std::chrono::milliseconds Upkeep::round() {
  std::unique_lock lock(mutex_);
  const auto policy = policy_;
  const auto interval = interval_;
  lock.unlock();
  auto retired = parts_.queue.retire(policy);
  if (!retired) log::warning("retention: {}", retired.error().message);
  if (retired && retired->jobs + retired->logs + retired->artifacts > 0) {
    log::info("retention: gave up {} jobs, {} logs, {} artifacts", retired->jobs, retired->logs, retired->artifacts);
  }
  auto swept = parts_.sweeper.sweep();
  if (!swept) log::warning("sweeping: {}", swept.error().message);
  if (swept && swept->contexts + swept->blobs > 0) {
    log::info("removed {} contexts and {} files that nobody needs, {}", swept->contexts, swept->blobs,
              base::human_bytes(swept->bytes));
  }
  parts_.solver.cache_mounts().measure();
  parts_.snapshots.remove_unused_twins();
  // What jobs saved since the last look counts against the cap too.
  parts_.collector.wake();
  return interval;
}

}  // namespace ingot::app
