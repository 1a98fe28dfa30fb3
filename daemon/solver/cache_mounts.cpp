#include "daemon/solver/cache_mounts.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "daemon/base/digest.h"
#include "daemon/store/tree_digest.h"

namespace ingot::solver {

using Sharing = graph::Mount::Sharing;

// The id is a user's word, and may be anything; its digest is a name.
fs::path CacheMounts::place_of(const std::string& id, unsigned number) const {
  return directory_ / (base::Digest::of(id).hex().substr(0, 32) + "-" + std::to_string(number));
}

Result<CacheMounts::Held> CacheMounts::acquire(const graph::Mount& mount, const sys::CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  fs::path place = place_of(mount.id, 0);
  if (mount.sharing == Sharing::private_) {
    for (unsigned number = 0; users_[place] > 0; ++number) place = place_of(mount.id, number + 1);
  }
  const bool alone = mount.sharing != Sharing::shared;
  constexpr std::chrono::milliseconds kLookForCancel(100);
  while (exclusive_[place] || (alone && users_[place] > 0)) {
    if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
    changed_.wait_for(lock, kLookForCancel);
  }
  if (!fs::exists(place)) {
    INGOT_CHECK(sys::make_directories(directory_, 0711));
    INGOT_CHECK(sys::make_directories(place));
    if (chmod(place.c_str(), mount.mode.value_or(0755)) != 0) {
      return base::fail_errno(errno, "cannot set the mode of the cache " + mount.id);
    }
  }
  ++users_[place];
  exclusive_[place] = alone;
  Held held{place, {}};
  held.until = std::shared_ptr<void>(this, [this, place](void*) {
    std::lock_guard release(mutex_);
    --users_[place];
    ++uses_;  // what it wrote is there now
    exclusive_[place] = false;
    changed_.notify_all();
  });
  return held;
}

void CacheMounts::measure() {
  const std::uint64_t uses = uses_;
  std::error_code absent;
  if (uses == measured_uses_ || !fs::exists(directory_, absent)) return;
  // A step at work may take files away under the measuring: then the next time.
  if (auto size = store::tree_size(directory_)) {
    bytes_ = size->bytes;
    measured_uses_ = uses;
  }
}

}  // namespace ingot::solver
