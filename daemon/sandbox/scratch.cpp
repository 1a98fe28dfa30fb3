#include "daemon/sandbox/scratch.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::sandbox {

namespace {

// Whether what we mount stays with us, as in the namespace that the daemon enters: its mounts receive and do not send.
bool keeps_mounts_to_itself() {
  bool shared = true;
  for (const auto& line : base::split(sys::read_file("/proc/thread-self/mountinfo").value_or(""), '\n')) {
    // 31 23 0:27 /root /mount/point rw,... optional fields - fstype ...; the last one at a place is on top.
    const auto fields = base::split(line.substr(0, line.find(" - ")), ' ');
    constexpr std::size_t kMountPoint = 4;
    if (fields.size() <= kMountPoint || fields[kMountPoint] != "/") continue;
    shared = std::any_of(fields.begin(), fields.end(), [](const auto& field) { return field.starts_with("shared:"); });
  }
  return !shared;
}

bool is_mount_point(const sys::fs::path& directory) {
  struct stat inside {};
  struct stat outside {};
  return stat(directory.c_str(), &inside) == 0 && stat(directory.parent_path().c_str(), &outside) == 0 &&
         inside.st_dev != outside.st_dev;
}

}  // namespace

void mount_scratch(const sys::fs::path& directory) {
  if (!keeps_mounts_to_itself() || is_mount_point(directory)) return;
  // The bound is for a runtime gone mad: a step needs some ten kilobytes.
  if (mount("ingot", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711,size=256m") != 0) {
    base::log::debug("sandbox: no file system in memory for {}", directory.string());
  }
}

void unmount_scratch(const sys::fs::path& directory) {
  if (keeps_mounts_to_itself() && is_mount_point(directory)) umount2(directory.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

}  // namespace ingot::sandbox
