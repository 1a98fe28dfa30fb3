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

void LeaseTable::release(SnapshotId id) {
  std::lock_guard lock(mutex_);
  auto found = held_.find(id);
  if (--found->second == 0) held_.erase(found);
}

}  // namespace ingot::store
