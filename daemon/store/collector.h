#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "daemon/store/snapshots.h"

namespace ingot::store {

struct Usage {
  std::uint64_t layers = 0;
  std::uint64_t layer_bytes = 0;
  std::uint64_t image_bytes = 0;   // of those, what images stand on
  std::uint64_t in_use_bytes = 0;  // of those, what builds hold at this moment
  std::uint64_t max_bytes = 0;     // 0: no limit
};

struct PruneRequest {
  std::uint64_t keep_bytes = 0;
  std::int64_t older_than_ms = 0;  // only what was not used for so long
  bool dry_run = false;
};

struct Pruned {
  std::uint64_t layers = 0;
  std::uint64_t bytes = 0;
};

// Keeps the layers under their cap: what was used longest ago, and was cheapest to make, goes first. Nothing goes that
// a build holds, or that another layer stands on; an image only when no step is left to go. Thread-safe.
class Collector {
 public:
  Collector(SnapshotStore& snapshots, db::Database& database, std::uint64_t max_bytes);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Something was added: it looks soon, on a thread of its own.
  void wake();
  Result<Usage> usage() const;
  Result<std::uint64_t> free_bytes() const { return sys::free_space(snapshots_.directory()); }
  Result<Pruned> prune(const PruneRequest& request);

 private:
  struct Candidate {
    SnapshotId id;
    std::uint64_t bytes;
  };
  void run();
  Result<std::uint64_t> total_bytes() const;
  Result<std::vector<Candidate>> candidates(std::int64_t used_before_ms) const;
  Result<Pruned> predict(const PruneRequest& request) const;
  Result<bool> forget_an_image(std::int64_t used_before_ms);

  SnapshotStore& snapshots_;
  db::Database& database_;
  const std::uint64_t max_bytes_;
  std::mutex pruning_;
  std::mutex mutex_;  // guards the next two
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ingot::store
