#pragma once

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "daemon/store/leases.h"

namespace ingot::store {

// Pairs of layers that were found equal: a number is never given twice, and a layer never changes. Thread-safe.
class EqualLayers {
 public:
  bool has(SnapshotId one, SnapshotId other) const {
    std::lock_guard lock(mutex_);
    return pairs_.contains(std::minmax(one, other));
  }
  void add(SnapshotId one, SnapshotId other) {
    std::lock_guard lock(mutex_);
    if (pairs_.size() >= kMost) pairs_.clear();
    pairs_.emplace(std::minmax(one, other));
  }

 private:
  static constexpr std::size_t kMost = 10'000;
  mutable std::mutex mutex_;
  std::set<std::pair<SnapshotId, SnapshotId>> pairs_;
};

}  // namespace ingot::store
