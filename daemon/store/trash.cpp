#include "daemon/store/trash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;

// One hundredth of the time goes into removing: a root file system of 45,000 files goes in about two minutes.
constexpr int kRest = 100;
constexpr std::chrono::milliseconds kLongestPause{2000};
// Trees are removed in parts, so that there is a pause between them; below this level each directory is one part.
constexpr int kDeepestPart = 3;

// Less than a fifth of the bytes or of the inodes is left.
bool is_short_of_room(const fs::path& directory) {
  struct statvfs room {};
  if (statvfs(directory.c_str(), &room) != 0) return false;
  const bool bytes = room.f_bavail < room.f_blocks / 5;
  return bytes || (room.f_files > 0 && room.f_favail < room.f_files / 5);
}

// A directory of the tree itself, not one where something is mounted.
bool is_own_directory(const fs::path& path) {
  struct statx status {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0) return false;
  return S_ISDIR(status.stx_mode) && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0;
}

std::vector<fs::path> children_of(const fs::path& directory) {
  std::vector<fs::path> children;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    children.push_back(entry->path());
  }
  return children;
}

}  // namespace

Result<std::unique_ptr<Trash>> Trash::open(const fs::path& directory) {
  INGOT_CHECK(sys::make_directories(directory, 0700));
  std::unique_ptr<Trash> trash(new Trash(directory));
  try {
    trash->thread_ = std::thread([raw = trash.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return fail(ErrorKind::unavailable, std::string("cannot start the thread that empties the trash: ") + error.what());
  }
  return trash;
}

Trash::~Trash() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status Trash::take(const fs::path& tree) {
  const fs::path aside = directory_ / base::random_id(16);
  if (rename(tree.c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return {};
    // No room for one more name: all the more reason that it goes.
    if (errno == ENOSPC || errno == EDQUOT) return sys::remove_tree(tree);
    return fail_errno(errno, "cannot put " + tree.string() + " aside");
  }
  std::lock_guard lock(mutex_);
  ++taken_;
  idle_ = false;
  changed_.notify_all();
  return {};
}

void Trash::empty_now() {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return idle_ || stopping_; });
  hurry_ = false;
}

void Trash::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = taken_;
    lock.unlock();
    for (const auto& tree : children_of(directory_)) {
      if (!remove(tree)) break;
    }
    lock.lock();
    if (taken_ != seen) continue;
    idle_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return stopping_ || !idle_; });
  }
}

bool Trash::remove(const fs::path& tree) {
  if (!remove_parts(tree, 1)) return false;
  const auto started = std::chrono::steady_clock::now();
  if (auto removed = sys::remove_tree(tree); !removed) {
    base::log::warning("{}: {}", tree.string(), removed.error().message);
  }
  return pause(std::chrono::steady_clock::now() - started);
}

// Errors are left to sys::remove_tree in the end, which also removes what may not be read.
bool Trash::remove_parts(const fs::path& tree, int depth) {
  if (depth > kDeepestPart || !is_own_directory(tree)) return true;
  for (const auto& child : children_of(tree)) {
    if (!remove_parts(child, depth + 1)) return false;
    const auto started = std::chrono::steady_clock::now();
    (void)sys::remove_tree(child);
    if (!pause(std::chrono::steady_clock::now() - started)) return false;
  }
  return true;
}

bool Trash::pause(Duration worked) {
  const bool full_speed = is_short_of_room(directory_);
  std::unique_lock lock(mutex_);
  if (stopping_ || hurry_ || full_speed) return !stopping_;
  changed_.wait_for(lock, std::min<Duration>(worked * kRest, kLongestPause), [this] { return stopping_ || hurry_; });
  return !stopping_;
}

}  // namespace ingot::store
