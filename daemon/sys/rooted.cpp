#include "daemon/sys/rooted.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "daemon/base/strings.h"

namespace ingot::sys {

using base::fail;
using base::fail_errno;

namespace {

int open_in(int root, const std::string& path, int flags, unsigned mode, RootedDir::Links links) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode & 07777U : 0;
  how.resolve = RESOLVE_NO_MAGICLINKS | (links == RootedDir::Links::stay_inside ? RESOLVE_IN_ROOT : RESOLVE_BENEATH);
  constexpr int kTries = 1000;  // EAGAIN: somebody renamed something on the way, and the kernel cannot be sure
  for (int i = 0; i < kTries; ++i) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

// openat2 takes absolute paths only with RESOLVE_IN_ROOT; here every path means "from the root".
std::string from_root(const std::string& path) {
  const std::size_t start = path.find_first_not_of('/');
  return start == std::string::npos ? "." : path.substr(start);
}

}  // namespace

Result<RootedDir> RootedDir::open(const fs::path& root, Links links) {
  INGOT_TRY(auto fd, open_file(root, O_PATH | O_DIRECTORY));
  return RootedDir(std::move(fd), root.string(), links);
}

Result<UniqueFd> RootedDir::open_path(const std::string& path, int flags, unsigned mode) const {
  UniqueFd fd(open_in(fd_.get(), from_root(path), flags, mode, links_));
  if (fd) return fd;
  const int reason = errno;
  if (reason == EXDEV) {
    return fail(ErrorKind::denied, "\"" + path + "\" leads out of " + root_,
                "take the \"..\" or the symlink on its way that points outside away");
  }
  if (reason == ELOOP) {
    return fail(ErrorKind::invalid, "\"" + path + "\" in " + root_ + " is a symlink that cannot be followed",
                "it leads back to itself, or through too many others");
  }
  return fail_errno(reason, "cannot open \"" + path + "\" in " + root_);
}

Result<struct stat> RootedDir::status(const std::string& path, bool follow) const {
  INGOT_TRY(auto fd, open_path(path, O_PATH | (follow ? 0 : O_NOFOLLOW)));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return fail_errno(errno, "cannot look at \"" + path + "\" in " + root_);
  return status;
}

bool RootedDir::exists(const std::string& path) const {
  return status(path, true).has_value();
}

Status RootedDir::make_directories(const std::string& path, unsigned mode) const {
  constexpr int kMostLinks = 40;  // the kernel's own bound
  return make_below(path, mode, kMostLinks);
}

Status RootedDir::make_below(const std::string& path, unsigned mode, int links_left) const {
  std::string parent = ".";
  for (const auto& name : base::split(from_root(path), '/')) {
    if (name.empty() || name == ".") continue;
    const std::string next = parent + "/" + name;
    auto existing = open_path(next, O_PATH | O_DIRECTORY);
    if (!existing && existing.error().kind != ErrorKind::not_found) return fail(existing.error());
    if (!existing) INGOT_CHECK(make_directory(parent, name, mode, links_left));
    parent = next;
  }
  return {};
}

Status RootedDir::make_directory(const std::string& parent, const std::string& name, unsigned mode,
                                 int links_left) const {
  const std::string path = parent + "/" + name;
  INGOT_TRY(auto holder, open_path(parent, O_PATH | O_DIRECTORY));
  if (mkdirat(holder.get(), name.c_str(), mode) == 0) {
    // Past the umask. Not through a link: the name may have been exchanged since.
    INGOT_TRY(auto made, open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (fchmod(made.get(), mode) != 0) return fail_errno(errno, "cannot set the mode of \"" + path + "\" in " + root_);
    return {};
  }
  if (errno != EEXIST) return fail_errno(errno, "cannot make directory \"" + path + "\" in " + root_);
  // Either a link whose target is not there, or somebody else made the directory just now.
  std::array<char, 4096> target{};
  const ssize_t size = readlinkat(holder.get(), name.c_str(), target.data(), target.size());
  if (size < 0) return {};
  if (links_left == 0) return fail(ErrorKind::invalid, "too many symlinks on the way to \"" + path + "\" in " + root_);
  const std::string link(target.data(), static_cast<std::size_t>(size));
  return make_below(link.starts_with('/') ? link : parent + "/" + link, mode, links_left - 1);
}

}  // namespace ingot::sys
