#include "daemon/store/collector.h"

#include <algorithm>
#include <limits>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::store {

namespace {

// When a layer may go: its last use, later by a thousand times what it took to make. What took a minute is kept some
// seventeen hours longer than what took nothing.
constexpr const char* kWorth = "s.used_ms + 1000 * coalesce((SELECT max(cost_ms) FROM steps WHERE snapshot = s.id), 0)";

// Room for what comes next, so that not every new layer costs an old one a search.
std::uint64_t low_water(std::uint64_t max_bytes) {
  return max_bytes / 10 * 9;
}

std::int64_t used_before(const PruneRequest& request) {
  return request.older_than_ms > 0 ? base::system_clock().unix_ms() - request.older_than_ms
                                   : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

Collector::Collector(SnapshotStore& snapshots, db::Database& database, std::uint64_t max_bytes)
    : snapshots_(snapshots), database_(database), max_bytes_(max_bytes), thread_([this] { run(); }) {}

Collector::~Collector() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Collector::wake() {
  if (max_bytes_ == 0) return;
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Collector::count_also(std::function<OtherUsage()> others) {
  std::lock_guard lock(mutex_);
  others_ = std::move(others);
}

OtherUsage Collector::others() const {
  std::lock_guard lock(mutex_);  // while it is asked, so that count_also({}) ends it
  return others_ ? others_() : OtherUsage{};
}

// Layers make room for what is no layer too.
void Collector::collect() {
  auto layers = total_bytes();
  const std::uint64_t other = others().bytes();
  if (!layers || *layers + other <= max_bytes_) return;
  const std::uint64_t goal = low_water(max_bytes_);
  if (other > goal) {
    std::lock_guard lock(mutex_);
    if (!complained_) {
      base::log::warning(
          "artifacts, contexts, logs and cache mounts alone have {}, and cache.max_size is {}: no layer is kept that "
          "is "
          "not in use; give it more, keep artifacts for a shorter time (retention.artifacts), or remove "
          "some by `ingot artifacts rm`",
          base::human_bytes(other), base::human_bytes(max_bytes_));
    }
    complained_ = true;
  }
  auto pruned = prune({goal > other ? goal - other : 0, 0, false});
  if (!pruned) base::log::warning("collecting: {}", pruned.error().message);
  if (pruned && pruned->layers > 0) {
    base::log::info("collected {} layers, {}", pruned->layers, base::human_bytes(pruned->bytes));
  }
}

Result<std::optional<std::uint64_t>> Collector::layers_beside(std::uint64_t bytes) const {
  INGOT_TRY(auto layers, total_bytes());
  const std::uint64_t other = others().bytes();
  std::uint64_t left = layers;
  if (max_bytes_ != 0) left = std::min(left, max_bytes_ > other + bytes ? max_bytes_ - other - bytes : 0);
  INGOT_TRY(auto free, free_bytes());
  INGOT_TRY(auto disk, sys::disk_size(snapshots_.directory()));
  const std::uint64_t wanted = bytes + disk / 100;  // the last hundredth is the host's
  if (free < wanted) left = std::min(left, layers > wanted - free ? layers - (wanted - free) : 0);
  return left == layers ? std::nullopt : std::optional(left);
}

Result<bool> Collector::make_room(std::uint64_t bytes) {
  INGOT_TRY(auto left, layers_beside(bytes));
  if (!left) return true;
  INGOT_TRY(auto pruned, prune({*left, 0, false}));
  if (pruned.layers > 0) {
    base::log::info("made room for a job: {} layers, {}", pruned.layers, base::human_bytes(pruned.bytes));
    snapshots_.reclaim_now();
  }
  INGOT_TRY(left, layers_beside(bytes));
  return !left;
}

void Collector::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return woken_ || stopping_; });
    if (stopping_) return;
    woken_ = false;
    lock.unlock();
    collect();
    lock.lock();
  }
}

Result<std::uint64_t> Collector::total_bytes() const {
  std::uint64_t total = 0;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT coalesce(sum(bytes), 0) FROM snapshots"));
    INGOT_CHECK(query.step());
    total = static_cast<std::uint64_t>(query.number(0));
    return {};
  }));
  return total;
}

Result<Usage> Collector::usage() const {
  Usage usage;
  usage.max_bytes = max_bytes_;
  usage.others = others();
  std::vector<Candidate> layers;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto sums,
              database_.prepare("WITH RECURSIVE of_images (id) AS (SELECT snapshot FROM images UNION SELECT s.parent "
                                "FROM snapshots s JOIN of_images i ON s.id = i.id WHERE s.parent IS NOT NULL) "
                                "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(CASE WHEN id IN of_images "
                                "THEN bytes END), 0) FROM snapshots"));
    INGOT_CHECK(sums.step());
    usage.layers = static_cast<std::uint64_t>(sums.number(0));
    usage.layer_bytes = static_cast<std::uint64_t>(sums.number(1));
    usage.image_bytes = static_cast<std::uint64_t>(sums.number(2));
    return {};
  }));
  for (SnapshotId id : snapshots_.leased()) {
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT bytes FROM snapshots WHERE id = ?"));
      INGOT_TRY(bool found, query.bind(1, id).step());
      if (found) usage.in_use_bytes += static_cast<std::uint64_t>(query.number(0));
      return {};
    }));
  }
  return usage;
}

// What nothing stands on, the least worth first.
Result<std::vector<Collector::Candidate>> Collector::candidates(std::int64_t used_before_ms) const {
  std::vector<Candidate> found;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare(std::string("SELECT s.id, s.bytes FROM snapshots s WHERE s.used_ms < ? "
                                                        "AND NOT EXISTS (SELECT 1 FROM snapshots c WHERE c.parent = "
                                                        "s.id) AND NOT EXISTS (SELECT 1 FROM images i WHERE "
                                                        "i.snapshot = s.id) ORDER BY ") +
                                            kWorth + ", s.id"));
    query.bind(1, used_before_ms);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      found.push_back({query.number(0), static_cast<std::uint64_t>(query.number(1))});
    }
  }));
  return found;
}

// The image that was used longest ago, if no build holds it. Its layers are then like any other.
Result<bool> Collector::forget_an_image(std::int64_t used_before_ms) {
  std::vector<SnapshotId> images;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT s.id FROM images i JOIN snapshots s ON s.id = i.snapshot "
                                            "WHERE s.used_ms < ? AND NOT EXISTS (SELECT 1 FROM snapshots c WHERE "
                                            "c.parent = s.id) ORDER BY s.used_ms"));
    query.bind(1, used_before_ms);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      images.push_back(query.number(0));
    }
  }));
  for (SnapshotId id : images) {
    INGOT_TRY(bool forgotten, snapshots_.forget_image(id));
    if (forgotten) return true;
  }
  return false;
}

Result<Pruned> Collector::predict(const PruneRequest& request) const {
  INGOT_TRY(auto total, total_bytes());
  INGOT_TRY(auto list, candidates(used_before(request)));
  Pruned pruned;
  for (const auto& candidate : list) {
    if (total - pruned.bytes <= request.keep_bytes) break;
    ++pruned.layers;
    pruned.bytes += candidate.bytes;
  }
  return pruned;
}

Result<Pruned> Collector::prune(const PruneRequest& request) {
  if (request.dry_run) return predict(request);
  std::lock_guard one_at_a_time(pruning_);
  INGOT_TRY(auto total, total_bytes());
  Pruned pruned;
  // Round by round: what goes may have been the last that stood on something.
  // What was made meanwhile may go too, and is not of the total.
  const auto left = [&] { return total > pruned.bytes ? total - pruned.bytes : 0; };
  while (left() > request.keep_bytes) {
    const std::uint64_t before = pruned.layers;
    INGOT_TRY(auto list, candidates(used_before(request)));
    for (const auto& candidate : list) {
      if (left() <= request.keep_bytes) break;
      auto removed = snapshots_.remove(candidate.id);
      if (!removed && removed.error().kind == ErrorKind::conflict) continue;  // somebody uses it again
      INGOT_CHECK(removed);
      ++pruned.layers;
      pruned.bytes += candidate.bytes;
      ++pruned_layers_;
      pruned_bytes_ += candidate.bytes;
    }
    if (pruned.layers > before) continue;
    INGOT_TRY(bool forgotten, forget_an_image(used_before(request)));
    if (!forgotten) break;
  }
  return pruned;
}

}  // namespace ingot::store
