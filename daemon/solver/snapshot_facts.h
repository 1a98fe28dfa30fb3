#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "daemon/store/leases.h"

namespace ingot::solver {

// What was read of snapshots, since reading takes a mount or some files: a snapshot never changes, nor does another get
// its number. Thread-safe.
template <typename Fact>
class SnapshotFacts {
 public:
  std::optional<Fact> find(store::SnapshotId snapshot) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(snapshot);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }
  void add(store::SnapshotId snapshot, const Fact& fact) {
    constexpr std::size_t kMostKept = 10'000;
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kMostKept) known_.erase(known_.begin());  // the oldest snapshot
    known_.insert_or_assign(snapshot, fact);
  }

 private:
  mutable std::mutex mutex_;
  std::map<store::SnapshotId, Fact> known_;
};

}  // namespace ingot::solver
