#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

using base::fail;
using base::fail_errno;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

tl::unexpected<Error> fail_at(int error_number, const std::string& what, int parent, const std::string& name) {
  return fail_errno(error_number, what + " " + (parent == AT_FDCWD ? name : name_of(parent) + "/" + name));
}

// Never through a symlink, nor into what is mounted at `name`, which a step that crashed may have left there.
UniqueFd open_below(int parent, const std::string& name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, parent, name.c_str(), &how, sizeof how)));
}

Result<UniqueFd> open_directory(int parent, const std::string& name) {
  UniqueFd fd = open_below(parent, name, O_RDONLY);
  if (!fd && errno == EACCES) {
    // No mode stops its owner: by a descriptor that needs no permission, so that no symlink can be put in between.
    const UniqueFd unread = open_below(parent, name, O_PATH);
    if (unread && chmod(("/proc/self/fd/" + std::to_string(unread.get())).c_str(), 0700) == 0) {
      fd = open_below(parent, name, O_RDONLY);
    }
  }
  if (!fd && errno == EXDEV) {
    return fail(ErrorKind::conflict, "cannot remove " + name_of(parent) + "/" + name + ": something is mounted there",
                "unmount it first");
  }
  if (!fd) return fail_at(errno, "cannot open directory", parent, name);
  struct stat status {};
  if (fstat(fd.get(), &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU) (void)fchmod(fd.get(), 0700);
  return fd;
}

void make_mutable(int fd) {
  int flags = 0;
  if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
  (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

// unlinkat, where a privileged step may have set the file or its directory immutable.
int unlink_entry(int parent, const std::string& name, int flags) {
  if (unlinkat(parent, name.c_str(), flags) == 0) return 0;
  struct stat status {};
  if (errno != EPERM || fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (S_ISDIR(status.st_mode) && flags == 0) return EISDIR;
  make_mutable(parent);
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
    const UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    make_mutable(fd.get());
  }
  return unlinkat(parent, name.c_str(), flags) == 0 ? 0 : errno;
}

// Works with names relative to a descriptor a level, so no path gets too long. Levels below kDeepest are first moved
// up to the top directory: neither descriptors nor stack grow with a tree that somebody made ten thousand levels deep.
class TreeRemover {
 public:
  explicit TreeRemover(int top) : top_(top) {}

  Status empty_top() {
    do {
      moved_ = false;
      UniqueFd again(openat(top_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!again) return fail_at(errno, "cannot open directory", top_, ".");
      INGOT_CHECK(empty(std::move(again), 0));
    } while (moved_);
    return {};
  }

 private:
  static constexpr int kDeepest = 64;

  Status empty(UniqueFd fd, int depth) {
    const Directory directory(fdopendir(fd.get()));
    if (!directory) return fail_at(errno, "cannot read directory", fd.get(), ".");
    const int here = fd.release();  // the DIR owns it now
    while (const dirent* entry = readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") INGOT_CHECK(remove(here, name, depth));
    }
    return {};
  }

  Status remove(int parent, const std::string& name, int depth) {
    int error = unlink_entry(parent, name, 0);
    if (error == 0 || error == ENOENT) return {};
    if (error != EISDIR) return fail_at(error, "cannot remove", parent, name);
    error = unlink_entry(parent, name, AT_REMOVEDIR);
    if (error == 0 || error == ENOENT) return {};
    if (depth == kDeepest) return move_up(parent, name);
    INGOT_TRY(auto fd, open_directory(parent, name));
    INGOT_CHECK(empty(std::move(fd), depth + 1));
    error = unlink_entry(parent, name, AT_REMOVEDIR);
    if (error == 0 || error == ENOENT) return {};
    return fail_at(error, "cannot remove directory", parent, name);
  }

  Status move_up(int parent, const std::string& name) {
    INGOT_CHECK(open_directory(parent, name));  // a directory that may not be written may not be moved either
    constexpr int kTries = 1000;                // names of ours may be taken, by an earlier removal that was cut short
    for (int i = 0; i < kTries; ++i) {
      const std::string up = ".removed-" + std::to_string(count_++);
      if (renameat2(parent, name.c_str(), top_, up.c_str(), RENAME_NOREPLACE) == 0) {
        moved_ = true;
        return {};
      }
      if (errno != EEXIST) break;
    }
    return fail_at(errno, "cannot move up directory", parent, name);
  }

  int top_;
  int count_ = 0;
  bool moved_ = false;
};

}  // namespace

Status remove_tree(const fs::path& path) {
  const fs::path named = path.has_filename() ? path : path.parent_path();
  const std::string name = named.filename().string();
  if (name.empty() || name == "." || name == "..") {
    return fail(ErrorKind::internal, "\"" + path.string() + "\" names no tree that may be removed");
  }
  const fs::path holder = named.has_parent_path() ? named.parent_path() : ".";
  const UniqueFd parent(open(holder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!parent) return fail_errno(errno, "cannot open directory " + holder.string());
  int error = unlink_entry(parent.get(), name, 0);
  if (error == 0 || error == ENOENT) return {};
  if (error != EISDIR) return fail_errno(error, "cannot remove " + path.string());
  INGOT_TRY(auto top, open_directory(parent.get(), name));
  INGOT_CHECK(TreeRemover(top.get()).empty_top());
  error = unlink_entry(parent.get(), name, AT_REMOVEDIR);
  if (error == 0 || error == ENOENT) return {};
  return fail_errno(error, "cannot remove directory " + path.string());
}

}  // namespace ingot::sys
