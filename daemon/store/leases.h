#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace ingot::store {

using SnapshotId = std::int64_t;

class LeaseTable;

// What keeps a snapshot, and so all that it stands on, from being collected; the last copy's end lets it go.
class Lease {
 public:
  Lease() = default;  // of nothing
  SnapshotId id() const { return id_; }
  explicit operator bool() const { return held_ != nullptr; }

 private:
  friend class LeaseTable;
  Lease(SnapshotId id, std::shared_ptr<void> held) : id_(id), held_(std::move(held)) {}
  SnapshotId id_ = 0;
  std::shared_ptr<void> held_;
};

// Who uses which snapshot at this moment. Finding a snapshot and leasing it must be one act, as looking that nobody
// leases it and removing it must be: both happen under lock(). Thread-safe.
class LeaseTable : public std::enable_shared_from_this<LeaseTable> {
 public:
  std::unique_lock<std::recursive_mutex> lock() { return std::unique_lock(mutex_); }
  Lease take(SnapshotId id);
  bool held(SnapshotId id) const;
  std::vector<SnapshotId> held() const;

 private:
  void release(SnapshotId id);
  mutable std::recursive_mutex mutex_;
  std::map<SnapshotId, int> held_;
};

}  // namespace ingot::store
