#include "daemon/sandbox/scratch.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "daemon/base/log.h"

namespace ingot::sandbox {

namespace {

bool has_mounts_of_its_own() {
  struct stat first {};
  struct stat ours {};
  if (stat("/proc/1/ns/mnt", &first) != 0 || stat("/proc/thread-self/ns/mnt", &ours) != 0) return false;
  return first.st_ino != ours.st_ino;
}

bool is_mount_point(const sys::fs::path& directory) {
  struct stat inside {};
  struct stat outside {};
  return stat(directory.c_str(), &inside) == 0 && stat(directory.parent_path().c_str(), &outside) == 0 &&
         inside.st_dev != outside.st_dev;
}

}  // namespace

void mount_scratch(const sys::fs::path& directory) {
  if (!has_mounts_of_its_own() || is_mount_point(directory)) return;
  // The bound is for a runtime gone mad: a step needs some ten kilobytes.
  if (mount("ingot", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711,size=256m") != 0) {
    base::log::debug("sandbox: no file system in memory for {}", directory.string());
  }
}

void unmount_scratch(const sys::fs::path& directory) {
  if (has_mounts_of_its_own() && is_mount_point(directory)) umount2(directory.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

}  // namespace ingot::sandbox
