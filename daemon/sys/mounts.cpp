#include "daemon/sys/mounts.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "daemon/base/log.h"

namespace ingot::sys {

using base::fail;
using base::fail_errno;

namespace {

constexpr std::size_t kOptionPage = 4096;  // the kernel takes one page of options, its last byte a NUL
constexpr std::size_t kMostLayers = 500;   // overlayfs' own bound

// In overlayfs' options ':' separates layers, ',' options, and '\' escapes.
std::string escaped(const std::string& path) {
  std::string text;
  for (char c : path) {
    if (c == ':' || c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

fs::path normal(const fs::path& path) {
  std::error_code error;
  auto whole = fs::absolute(path, error).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

// As the mount will name it: relative, when that is shorter.
std::string named_from(const fs::path& base, const fs::path& path) {
  const fs::path whole = normal(path);
  std::string relative = whole.lexically_relative(base).string();
  return escaped(relative.empty() || relative.size() > whole.string().size() ? whole.string() : relative);
}

// Mounting with relative names needs a working directory, which belongs to the whole process; a thread of its own can
// leave that sharing without touching anybody else.
int mount_from(const fs::path& directory, const fs::path& target, const std::string& options, unsigned long flags) {
  int error = 0;
  try {
    std::thread([&] {
      if (unshare(CLONE_FS) != 0 || chdir(directory.c_str()) != 0 ||
          mount("overlay", target.c_str(), "overlay", flags, options.c_str()) != 0) {
        error = errno;
      }
    }).join();
  } catch (const std::system_error& no_thread) {
    error = no_thread.code().value();
  }
  return error;
}

// What overlayfs refuses because there is nothing to lay over: one layer to read, or an upper directory alone.
Status bind(const fs::path& layer, const fs::path& target, bool read_only) {
  const std::string what = "cannot bind " + layer.string() + " to " + target.string();
  if (mount(layer.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) return fail_errno(errno, what);
  if (!read_only || mount(nullptr, target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0) return {};
  const int reason = errno;
  umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
  return fail_errno(reason, what + " read-only");
}

tl::unexpected<Error> fail_overlay(int reason, std::size_t layers, const fs::path& target) {
  auto failed = fail_errno(reason, fmt::format("cannot mount an overlay of {} layers at {}", layers, target.string()));
  Error& error = failed.value();
  if (reason == ENODEV) {
    error.kind = ErrorKind::unsupported;
    error.hint = "the kernel has no overlayfs; try modprobe overlay";
  } else if (reason == EINVAL) {
    error.kind = ErrorKind::unsupported;
    error.hint =
        "the state directory must be on a file system that overlayfs can write to (ext4, xfs, btrfs), not on an "
        "overlay; the kernel's log has the reason (dmesg)";
  }
  return failed;
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
  if (target_.empty()) return;
  if (auto done = unmount(); !done) base::log::warning("{}", done.error().message);
}

Status Mount::unmount() {
  if (target_.empty()) return {};
  const fs::path target = std::move(target_);
  target_.clear();
  // EINVAL: nothing is mounted there, as is wanted; whoever works in it may have unmounted it already.
  if (umount2(target.c_str(), UMOUNT_NOFOLLOW) == 0 || errno == EINVAL) return {};
  // Somebody still holds a file in it: it goes as soon as they let go.
  if (errno == EBUSY && umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) return {};
  return fail_errno(errno, "cannot unmount " + target.string());
}

Result<Mount> mount_overlay(const std::vector<fs::path>& lower, const fs::path& upper, const fs::path& work,
                            const fs::path& target, const fs::path& base_directory) {
  const fs::path place = normal(target);
  if (lower.size() + (upper.empty() ? 0 : 1) == 0)
    return fail(ErrorKind::internal, "no layer to mount at " + place.string());
  if (lower.size() + (upper.empty() ? 0 : 1) == 1) {
    INGOT_CHECK(bind(upper.empty() ? lower.front() : upper, place, upper.empty()));
    return Mount(place);
  }
  const fs::path base = normal(base_directory);
  std::string layers;
  for (auto layer = lower.rbegin(); layer != lower.rend(); ++layer) {
    layers += (layers.empty() ? "" : ":") + named_from(base, *layer);
  }
  // Layers are exported and stacked anew: they may hold nothing that is only right in this stack, as a redirect, a
  // file of which only the metadata was copied up, or an index entry is.
  std::string options = "index=off,metacopy=off,redirect_dir=off,lowerdir=" + layers;
  if (!upper.empty()) options += ",upperdir=" + named_from(base, upper) + ",workdir=" + named_from(base, work);
  if (lower.size() > kMostLayers || options.size() >= kOptionPage) {
    return fail(ErrorKind::unsupported,
                fmt::format("{} layers are too many to mount: overlayfs takes {}, and their names take {} bytes of {}",
                            lower.size(), kMostLayers, options.size(), kOptionPage - 1),
                "join some RUN and COPY commands of this target");
  }
  // `volatile`: unmounting does not write the whole upper file system back, and programs' own fsyncs cost nothing. What
  // is kept of an upper is synced when it is kept. Kernels before 5.10 do not know it.
  int error = EINVAL;
  if (!upper.empty() && options.size() + 10 < kOptionPage) error = mount_from(base, place, "volatile," + options, 0);
  if (error == EINVAL) error = mount_from(base, place, options, upper.empty() ? MS_RDONLY : 0);
  if (error != 0) return fail_overlay(error, lower.size(), place);
  return Mount(place);
}

Result<Mount> mount_tmpfs(const fs::path& target, const std::string& size) {
  if (mount("tmpfs", target.c_str(), "tmpfs", MS_NODEV, ("mode=0711,size=" + size).c_str()) != 0) {
    return fail_errno(errno, "cannot mount a tmpfs at " + target.string());
  }
  return Mount(target);
}

}  // namespace ingot::sys
