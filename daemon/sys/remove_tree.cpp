#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "daemon/sys/files.h"

namespace ingot::sys {

namespace {

using base::fail_errno;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

Status remove_entry(int parent, const char* name);

// Everything is done relative to the parent's descriptor: no path gets too long, and no symlink is ever followed.
Status remove_contents(int parent, const char* name) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) {
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0) return fail_errno(errno, std::string("cannot open directory ") + name);
  std::unique_ptr<DIR, CloseDirectory> directory(fdopendir(fd));
  if (!directory) {
    close(fd);
    return fail_errno(errno, std::string("cannot read directory ") + name);
  }
  (void)fchmod(fd, 0700);  // for a caller who is not root and finds a directory without write permission
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    if (auto removed = remove_entry(fd, entry->d_name); !removed) {
      return base::fail(base::with_context(removed.error(), std::string("in directory ") + name));
    }
  }
  return {};
}

Status remove_entry(int parent, const char* name) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno(errno, std::string("cannot remove ") + name);
  struct stat status {};
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode)) {
    return fail_errno(EPERM, std::string("cannot remove ") + name);
  }
  INGOT_CHECK(remove_contents(parent, name));
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return fail_errno(errno, std::string("cannot remove directory ") + name);
}

}  // namespace

Status remove_tree(const fs::path& path) {
  return remove_entry(AT_FDCWD, path.c_str());
}

}  // namespace ingot::sys
