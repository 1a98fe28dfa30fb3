#include "daemon/store/leases.h"

namespace ingot::store {

Lease LeaseTable::take(SnapshotId id) {
  std::lock_guard lock(mutex_);
  ++held_[id];
  return Lease(id, std::shared_ptr<void>(this, [self = shared_from_this(), id](void*) { self->release(id); }));
}

bool LeaseTable::held(SnapshotId id) const {
  std::lock_guard lock(mutex_);
  return held_.contains(id);
}

std::vector<SnapshotId> LeaseTable::held() const {
  std::lock_guard lock(mutex_);
  std::vector<SnapshotId> ids;
  ids.reserve(held_.size());
  for (const auto& [id, count] : held_) ids.push_back(id);
  return ids;
}

void LeaseTable::release(SnapshotId id) {
  std::lock_guard lock(mutex_);
  auto found = held_.find(id);
  if (--found->second == 0) held_.erase(found);
}

}  // namespace ingot::store
