#include "daemon/sys/mounts.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace ingot::sys {

using base::fail;
using base::fail_errno;

namespace {

constexpr std::size_t kOptionPage = 4096;  // the kernel takes one page of options, its last byte a NUL

// In overlayfs' options ':' separates layers, ',' options, and '\' escapes.
std::string escaped(const std::string& path) {
  std::string text;
  for (char c : path) {
    if (c == ':' || c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

// Mounting with relative names needs a working directory, which belongs to the whole process; a thread of its own can
// leave that sharing without touching anybody else.
int mount_from(const fs::path& directory, const fs::path& target, const std::string& options, unsigned long flags) {
  int error = 0;
  std::thread([&] {
    if (unshare(CLONE_FS) != 0 || chdir(directory.c_str()) != 0 ||
        mount("overlay", target.c_str(), "overlay", flags, options.c_str()) != 0) {
      error = errno;
    }
  }).join();
  return error;
}

}  // namespace

Status enter_private_mount_namespace() {
  if (unshare(CLONE_NEWNS) != 0) return fail_errno(errno, "cannot enter a mount namespace of our own");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return fail_errno(errno, "cannot make the mounts of our namespace our own");
  }
  return {};
}

Mount::~Mount() {
  if (!target_.empty()) (void)unmount();
}

Status Mount::unmount() {
  const fs::path target = std::move(target_);
  target_.clear();
  if (umount2(target.c_str(), UMOUNT_NOFOLLOW) == 0) return {};
  // Somebody still holds a file in it: it goes as soon as they let go.
  if (errno == EBUSY && umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) return {};
  return fail_errno(errno, "cannot unmount " + target.string());
}

Result<Mount> mount_overlay(const std::vector<fs::path>& lower, const fs::path& upper, const fs::path& work,
                            const fs::path& target, const fs::path& base_directory) {
  if (lower.size() == 1 && upper.empty()) {
    // overlayfs wants two layers for a read-only mount; of one, a read-only bind mount is the same.
    if (mount(lower.front().c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        mount(nullptr, target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return fail_errno(errno, "cannot bind " + lower.front().string() + " to " + target.string());
    }
    return Mount(target);
  }
  std::string options = "lowerdir=";
  for (auto layer = lower.rbegin(); layer != lower.rend(); ++layer) {
    if (layer != lower.rbegin()) options += ':';
    options += escaped(layer->lexically_relative(base_directory).string());
  }
  if (!upper.empty()) options += ",upperdir=" + escaped(upper.string()) + ",workdir=" + escaped(work.string());
  if (options.size() >= kOptionPage) {
    return fail(ErrorKind::unsupported,
                fmt::format("{} layers are too many to mount: their names take {} bytes of the kernel's {}",
                            lower.size(), options.size(), kOptionPage),
                "join some RUN and COPY commands of this target");
  }
  if (int error = mount_from(base_directory, target, options, upper.empty() ? MS_RDONLY : 0); error != 0) {
    return fail_errno(error, fmt::format("cannot mount an overlay of {} layers at {}", lower.size(), target.string()));
  }
  return Mount(target);
}

}  // namespace ingot::sys
