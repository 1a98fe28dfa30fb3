#include "daemon/sandbox/leftovers.h"

#include <sys/mount.h>

#include <vector>

#include "daemon/base/log.h"

namespace ingot::sandbox {

namespace {

std::vector<fs::path> entries(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) found.push_back(entry.path());
  return found;
}

void note(const Status& status) {
  if (!status) base::log::warning("sandbox: {}", status.error().message);
}

}  // namespace

void remove_leftovers(const Settings& settings, const sys::Cgroups& cgroups, const std::string& cgroup) {
  cgroups.kill_all(cgroup);
  note(cgroups.remove(cgroup));
  // Mounts mostly went with the dead daemon's mount namespace.
  auto remove = [](const fs::path& directory, const char* mount_point) {
    umount2((directory / mount_point).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    note(sys::remove_tree(directory));
  };
  for (const auto& path : entries(settings.run_directory)) remove(path, "rootfs");
  for (const auto& path : entries(settings.snapshot_directory)) {
    if (path.filename().string().starts_with("doctor-")) remove(path, "merged");
  }
}

}  // namespace ingot::sandbox
