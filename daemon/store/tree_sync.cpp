#include "daemon/store/tree_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

namespace ingot::store {

namespace {

using base::fail_errno;
using sys::fs::path;

constexpr std::size_t kFew = 64;

// The regular files and directories of a tree; nothing when they are many, or not all can be seen. Symlinks and device
// nodes have no content of their own: they are synced with the directory that has their names.
std::optional<std::vector<path>> find_few(const path& tree) {
  std::vector<path> found = {tree};
  std::error_code error;
  sys::fs::recursive_directory_iterator entry(tree, error);
  for (const sys::fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const auto type = entry->symlink_status(error).type();
    if (type != sys::fs::file_type::regular && type != sys::fs::file_type::directory) continue;
    if (found.size() == kFew) return std::nullopt;
    found.push_back(entry->path());
  }
  if (error) return std::nullopt;
  return found;
}

Status sync_file_system(const path& tree) {
  INGOT_TRY(auto fd, sys::open_file(tree, O_RDONLY | O_DIRECTORY));
  if (syncfs(fd.get()) != 0) return fail_errno(errno, "cannot sync the file system of " + tree.string());
  return {};
}

}  // namespace

Status sync_tree(const path& tree) {
  const auto few = find_few(tree);
  if (!few) return sync_file_system(tree);
  for (const auto& one : *few) {
    auto fd = sys::open_file(one, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fd) return sync_file_system(tree);
    if (fsync(fd->get()) != 0) return fail_errno(errno, "cannot sync " + one.string());
  }
  return {};
}

}  // namespace ingot::store
