#include "daemon/solver/cache_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/store/tree_digest.h"

namespace ingot::solver {

using Sharing = graph::Mount::Sharing;

namespace {

constexpr const char* kTrash = "trash";  // what is being removed; no name of a cache

// The id is a user's word, and may be anything; its digest is a name.
std::string name_of(const std::string& id, unsigned number) {
  return base::Digest::of(id).hex().substr(0, 32) + "-" + std::to_string(number);
}

std::int64_t time_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

// What an earlier daemon left, once.
void CacheMounts::look_around() {
  if (std::exchange(looked_around_, true)) return;
  if (auto removed = sys::remove_tree(directory_ / kTrash); !removed) base::log::warning("{}", removed.error().message);
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const std::string name = entry->path().filename();
    if (!entry->is_directory(gone) || name == kTrash) continue;
    Directory& found = known_[name];
    found.there = true;
    found.used_ms = time_of(stamp_of(name));
    if (found.used_ms == 0) found.used_ms = time_of(entry->path());
  }
}

Status CacheMounts::make(const std::string& name, const graph::Mount& mount) {
  const fs::path place = directory_ / name;
  if (!fs::exists(place)) {
    INGOT_CHECK(sys::make_directories(directory_, 0711));
    INGOT_CHECK(sys::make_directories(place));
    if (chmod(place.c_str(), mount.mode.value_or(0755)) != 0) {
      return base::fail_errno(errno, "cannot set the mode of the cache " + mount.id);
    }
  }
  known_[name].there = true;
  return {};
}

void CacheMounts::note_use(const std::string& name) {
  const std::int64_t now = clock_.unix_ms();
  known_[name].used_ms = now;
  const sys::UniqueFd stamp(open(stamp_of(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const timespec time{now / 1000, now % 1000 * 1'000'000};
  const timespec both[2] = {time, time};
  // Without it, the next daemon takes the directory's own time.
  if (!stamp || futimens(stamp.get(), both) != 0) base::log::debug("the use of cache {} is not noted", name);
}

void CacheMounts::release(const std::string& name) {
  Directory& held = known_[name];
  --held.users;
  ++held.changes;  // what its step wrote is there now
  held.exclusive = false;
  note_use(name);
  changed_.notify_all();
}

Result<CacheMounts::Held> CacheMounts::acquire(const graph::Mount& mount, const sys::CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  look_around();
  std::string name = name_of(mount.id, 0);
  if (mount.sharing == Sharing::private_) {
    for (unsigned number = 0; known_[name].users > 0; ++number) name = name_of(mount.id, number + 1);
  }
  const bool alone = mount.sharing != Sharing::shared;
  constexpr std::chrono::milliseconds kLookForCancel(100);
  while (known_[name].exclusive || (alone && known_[name].users > 0)) {
    if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
    changed_.wait_for(lock, kLookForCancel);
  }
  INGOT_CHECK(make(name, mount));
  Directory& mine = known_[name];
  ++mine.users;
  mine.exclusive = alone;
  note_use(name);
  Held held{directory_ / name, {}};
  held.until = std::shared_ptr<void>(this, [this, name](void*) {
    std::lock_guard again(mutex_);
    release(name);
  });
  return held;
}

std::uint64_t CacheMounts::count() const {
  std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (const auto& [name, directory] : known_) count += directory.there ? 1 : 0;
  return count;
}

void CacheMounts::measure() {
  std::vector<std::pair<std::string, std::uint64_t>> changed;
  {
    std::lock_guard lock(mutex_);
    look_around();
    for (const auto& [name, directory] : known_) {
      if (directory.there && directory.changes != directory.measured) changed.emplace_back(name, directory.changes);
    }
  }
  for (const auto& [name, changes] : changed) {
    // A step at work may take files away under the measuring: then the next time.
    const auto size = store::tree_size(directory_ / name);
    if (!size) continue;
    std::lock_guard lock(mutex_);
    Directory& directory = known_[name];
    if (!directory.there) continue;
    bytes_ += size->bytes - directory.bytes;
    directory.bytes = size->bytes;
    directory.measured = changes;
  }
}

std::vector<store::Collectable::Thing> CacheMounts::unused() {
  measure();
  std::vector<Thing> things;
  std::lock_guard lock(mutex_);
  for (const auto& [name, directory] : known_) {
    if (directory.there && directory.users == 0) things.push_back({name, directory.bytes, directory.used_ms});
  }
  return things;
}

Result<bool> CacheMounts::remove(const std::string& name) {
  fs::path going;
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(name);
    if (found == known_.end() || !found->second.there || found->second.users > 0) return false;
    INGOT_CHECK(sys::make_directories(directory_ / kTrash, 0700));
    // From now on it is not there: whoever wants it gets an empty one, at once.
    going = directory_ / kTrash / std::to_string(++removed_);
    if (rename((directory_ / name).c_str(), going.c_str()) != 0 && errno != ENOENT) {
      return base::fail_errno(errno, "cannot remove the cache " + (directory_ / name).string());
    }
    std::error_code ignored;
    fs::remove(stamp_of(name), ignored);
    bytes_ -= found->second.bytes;
    found->second.there = false;
    found->second.bytes = 0;
    ++found->second.changes;
  }
  INGOT_CHECK(sys::remove_tree(going));
  return true;
}

}  // namespace ingot::solver
