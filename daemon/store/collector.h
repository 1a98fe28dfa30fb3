#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "daemon/store/collectable.h"
#include "daemon/store/snapshots.h"

namespace ingot::store {

// What else the daemon keeps on the disk: it counts against the cap. Of it only cache mounts are the collector's to
// remove.
struct OtherUsage {
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;
  std::uint64_t contexts = 0;
  std::uint64_t context_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t cache_mount_bytes = 0;
  std::uint64_t cache_mounts = 0;
  std::uint64_t bytes() const { return blob_bytes + context_bytes + log_bytes + cache_mount_bytes; }
};

struct Usage {
  std::uint64_t layers = 0;
  std::uint64_t layer_bytes = 0;
  std::uint64_t image_bytes = 0;   // of those, what images stand on
  std::uint64_t in_use_bytes = 0;  // of those, what builds hold at this moment
  std::uint64_t max_bytes = 0;     // 0: no limit
  OtherUsage others;
  std::uint64_t total_bytes() const { return layer_bytes + others.bytes(); }
};

struct PruneRequest {
  std::uint64_t keep_bytes = 0;
  std::int64_t older_than_ms = 0;  // only what was not used for so long
  bool dry_run = false;
};

struct Pruned {
  std::uint64_t layers = 0;
  std::uint64_t bytes = 0;  // of layers
  std::uint64_t cache_mounts = 0;
  std::uint64_t cache_mount_bytes = 0;
  bool any() const { return layers + cache_mounts > 0; }
  std::uint64_t all_bytes() const { return bytes + cache_mount_bytes; }
};

// Keeps all that the daemon has on the disk under its cap, by removing layers and cache mounts: what was used longest
// ago, and was cheapest to make, goes first. Nothing goes that a build holds, or that another layer stands on; an image
// only when nothing else is left to go. Thread-safe.
class Collector {
 public:
  Collector(SnapshotStore& snapshots, db::Database& database, std::uint64_t max_bytes);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // What else counts against the cap. Asked often: it must know without looking. Once this has returned, what was to be
  // asked before is not asked any more.
  void count_also(std::function<OtherUsage()> others);
  // What else may go, null for nothing. Once this has returned, what was given before is not asked any more.
  void collect_also(Collectable* others);
  // Something was added: it looks soon, on a thread of its own.
  void wake();
  Result<Usage> usage() const;
  Result<std::uint64_t> free_bytes() const { return sys::free_space(snapshots_.directory()); }
  // Removes until no more bytes of layers and cache mounts are left than the request keeps.
  Result<Pruned> prune(const PruneRequest& request);
  // Whether so many bytes more fit under the cap and on the disk; collects first, as far as it can, when they do not.
  Result<bool> make_room(std::uint64_t bytes);
  // What was collected since the start, on demand or by itself.
  Pruned total_pruned() const;

 private:
  // A layer, or with a name a cache mount. The least worth goes first.
  struct Candidate {
    SnapshotId id = 0;
    std::uint64_t bytes = 0;
    std::int64_t worth_ms = 0;
    std::string mount{};
  };
  void run();
  void collect();
  OtherUsage others() const;
  // How many bytes of layers and cache mounts may be left so that so many more fit; none: all of them.
  Result<std::optional<std::uint64_t>> left_beside(std::uint64_t bytes) const;
  Result<std::uint64_t> layer_bytes() const;
  std::uint64_t mount_bytes() const;             // of those that it may remove
  Result<std::uint64_t> prunable_bytes() const;  // of layers and cache mounts
  // What stays whatever it removes.
  std::uint64_t lasting_bytes() const;
  Result<std::vector<Candidate>> candidates(std::int64_t used_before_ms) const;
  void add_mounts(std::vector<Candidate>& found, std::int64_t used_before_ms) const;
  Result<bool> remove(const Candidate& candidate, Pruned& pruned);  // false: somebody uses it again
  static void count(const Candidate& candidate, Pruned& pruned);
  Result<Pruned> predict(const PruneRequest& request) const;
  Result<bool> forget_an_image(std::int64_t used_before_ms);

  SnapshotStore& snapshots_;
  db::Database& database_;
  const std::uint64_t max_bytes_;
  std::mutex pruning_;        // one at a time; held while also_ is asked or changed
  mutable std::mutex mutex_;  // after that one; guards the next seven
  Collectable* also_ = nullptr;
  Pruned total_pruned_;
  std::function<OtherUsage()> others_;
  bool complained_ = false;  // that others alone are over the cap
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ingot::store
