#include "daemon/sandbox/mount_points.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

namespace ingot::sandbox {

namespace {

constexpr const char* kMountPoints[] = {"etc/resolv.conf", "etc/hosts", "etc/hostname", "etc", "proc", "dev", "sys"};
constexpr const char* kTouchedDirectories[] = {"etc", "."};

bool is_empty_directory(const sys::fs::path& path) {
  std::error_code error;
  return sys::fs::is_directory(path, error) && sys::fs::is_empty(path, error) && !error;
}

}  // namespace

MountPoints MountPoints::before(const sys::RootedDir& root) {
  MountPoints points;
  for (const char* path : kMountPoints) {
    if (!root.status(path, false)) points.missing_.emplace_back(path);
  }
  for (const char* path : kTouchedDirectories) {
    if (auto status = root.status(path, false)) points.directories_.push_back({path, status->st_mtim});
  }
  return points;
}

void MountPoints::clean(const sys::fs::path& upper) const {
  bool etc_changed = false;
  bool root_changed = false;
  for (const auto& path : missing_) {
    const sys::fs::path stub = upper / path;
    struct stat status {};
    if (lstat(stub.c_str(), &status) != 0) continue;
    const bool empty_file = S_ISREG(status.st_mode) && status.st_size == 0;
    bool removed = false;
    if (empty_file)
      removed = unlink(stub.c_str()) == 0;
    else if (is_empty_directory(stub))
      removed = rmdir(stub.c_str()) == 0;
    (path.starts_with("etc/") ? etc_changed : root_changed) |= removed;
  }
  for (const auto& [path, modified] : directories_) {
    if (path == "etc" ? !etc_changed : !root_changed) continue;
    // etc was copied up only for the stubs when nothing else is in it.
    if (path == "etc" && is_empty_directory(upper / path)) {
      rmdir((upper / path).c_str());
      root_changed = true;
      continue;
    }
    const timespec times[2] = {{0, UTIME_OMIT}, modified};
    utimensat(AT_FDCWD, (upper / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
}

}  // namespace ingot::sandbox
