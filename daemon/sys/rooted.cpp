#include "daemon/sys/rooted.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::sys {

using base::fail_errno;

namespace {

int open_in(int root, const std::string& path, int flags, unsigned mode, RootedDir::Links links) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_NO_MAGICLINKS |
                (links == RootedDir::Links::stay_inside ? RESOLVE_IN_ROOT : RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  constexpr int kTries = 64;  // EAGAIN: somebody renamed something on the way
  for (int i = 0; i < kTries; ++i) {
    long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

// openat2 takes absolute paths only with RESOLVE_IN_ROOT; here every path means "from the root".
std::string from_root(const std::string& path) {
  std::size_t start = path.find_first_not_of('/');
  return start == std::string::npos ? "." : path.substr(start);
}

}  // namespace

Result<RootedDir> RootedDir::open(const fs::path& root, Links links) {
  INGOT_TRY(auto fd, open_file(root, O_PATH | O_DIRECTORY));
  return RootedDir(std::move(fd), links);
}

Result<UniqueFd> RootedDir::open_path(const std::string& path, int flags, unsigned mode) const {
  UniqueFd fd(open_in(fd_.get(), from_root(path), flags, mode, links_));
  if (fd) return fd;
  if (errno == EXDEV) {
    return base::fail(ErrorKind::denied, "\"" + path + "\" leads out of its directory",
                      "a symlink on the way points outside; remove it");
  }
  return fail_errno(errno, "cannot open " + path);
}

Result<struct stat> RootedDir::status(const std::string& path, bool follow) const {
  INGOT_TRY(auto fd, open_path(path, O_PATH | (follow ? 0 : O_NOFOLLOW)));
  struct stat status {};
  if (fstatat(fd.get(), "", &status, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "cannot look at " + path);
  }
  return status;
}

bool RootedDir::exists(const std::string& path) const {
  return status(path, true).has_value();
}

Status RootedDir::make_directories(const std::string& path, unsigned mode) const {
  std::string so_far;
  for (const auto& part : base::split(from_root(path), '/')) {
    if (part.empty() || part == ".") continue;
    const std::string parent = so_far.empty() ? "." : so_far;
    so_far += (so_far.empty() ? "" : "/") + part;
    auto existing = open_path(so_far, O_PATH | O_DIRECTORY);
    if (existing) continue;
    if (existing.error().kind != ErrorKind::not_found) return base::fail(existing.error());
    INGOT_TRY(auto directory, open_path(parent, O_PATH | O_DIRECTORY));
    if (mkdirat(directory.get(), part.c_str(), mode) != 0 && errno != EEXIST) {
      return fail_errno(errno, "cannot make directory " + so_far);
    }
    INGOT_TRY(auto made, open_path(so_far, O_RDONLY | O_DIRECTORY));
    if (fchmod(made.get(), mode) != 0) return fail_errno(errno, "cannot set the mode of " + so_far);
  }
  return {};
}

}  // namespace ingot::sys
