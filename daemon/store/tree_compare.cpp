#include "daemon/store/tree_compare.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/store/tree_attributes.h"
#include "daemon/sys/directory_names.h"

namespace ingot::store {

namespace {

using base::fail_errno;

// A name below an open directory.
struct ComparedEntry {
  int directory;
  const std::string& path;  // for messages
  const char* name;
};

Result<struct stat> look_at(const ComparedEntry& entry) {
  struct stat status {};
  if (fstatat(entry.directory, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  return fail_errno(errno, "cannot look at " + entry.path);
}

Result<std::string> link_target(const ComparedEntry& entry) {
  std::array<char, 4096> target{};
  const ssize_t size = readlinkat(entry.directory, entry.name, target.data(), target.size());
  if (size < 0) return fail_errno(errno, "cannot read link " + entry.path);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

// Up to `size` bytes, fewer at the end only.
Result<std::size_t> fill(int fd, char* to, std::size_t size, const std::string& path) {
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = read(fd, to + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read " + path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

class TreeComparison {
 public:
  explicit TreeComparison(const TreeDigestOptions& options) : options_(options) {}

  Result<bool> same(const ComparedEntry& one, const ComparedEntry& other) {
    INGOT_TRY(auto status, look_at(one));
    INGOT_TRY(auto other_status, look_at(other));
    if (!same_description(status, other_status)) return false;
    if (is_one_file(status, other_status)) return true;
    if (S_ISLNK(status.st_mode)) {
      INGOT_TRY(auto target, link_target(one));
      INGOT_TRY(auto other_target, link_target(other));
      return target == other_target;
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return true;
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const sys::UniqueFd fd(openat(one.directory, one.name, kFlags));
    const sys::UniqueFd other_fd(openat(other.directory, other.name, kFlags));
    if (!fd || !other_fd) return fail_errno(errno, "cannot open " + one.path);
    return same_inside(fd.get(), other_fd.get(), S_ISDIR(status.st_mode), one.path);
  }

  // What the path leads to.
  Result<bool> same_followed(const sys::RootedDir& one, const sys::RootedDir& other, const std::string& path) {
    INGOT_TRY(auto status, one.status(path, true));
    INGOT_TRY(auto other_status, other.status(path, true));
    if (!same_description(status, other_status)) return false;
    if (is_one_file(status, other_status) || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) return true;
    INGOT_TRY(auto fd, one.open_path(path, O_RDONLY | O_NONBLOCK));
    INGOT_TRY(auto other_fd, other.open_path(path, O_RDONLY | O_NONBLOCK));
    return same_inside(fd.get(), other_fd.get(), S_ISDIR(status.st_mode), path);
  }

 private:
  bool same_description(const struct stat& one, const struct stat& other) const {
    if (one.st_mode != other.st_mode) return false;
    if (options_.owners && (one.st_uid != other.st_uid || one.st_gid != other.st_gid)) return false;
    const bool times = options_.times && !S_ISDIR(one.st_mode);
    if (times && (one.st_mtim.tv_sec != other.st_mtim.tv_sec || one.st_mtim.tv_nsec != other.st_mtim.tv_nsec)) {
      return false;
    }
    if ((S_ISCHR(one.st_mode) || S_ISBLK(one.st_mode)) && one.st_rdev != other.st_rdev) return false;
    return !S_ISREG(one.st_mode) || one.st_size == other.st_size;
  }

  // Two mounted stacks show a file of a layer that both stand on under its own number. (The devices are the stacks'.)
  static bool is_one_file(const struct stat& one, const struct stat& other) {
    return S_ISREG(one.st_mode) && one.st_ino == other.st_ino && one.st_ctim.tv_sec == other.st_ctim.tv_sec &&
           one.st_ctim.tv_nsec == other.st_ctim.tv_nsec;
  }

  Result<bool> same_inside(int one, int other, bool are_directories, const std::string& path) {
    INGOT_TRY(auto attributes, tree_attributes(one, path));
    INGOT_TRY(auto other_attributes, tree_attributes(other, path));
    if (attributes != other_attributes) return false;
    return are_directories ? same_children(one, other, path) : same_bytes(one, other, path);
  }

  Result<bool> same_children(int one, int other, const std::string& path) {
    INGOT_TRY(auto names, sys::names_in(one, path));
    INGOT_TRY(auto other_names, sys::names_in(other, path));
    if (names != other_names) return false;
    for (const auto& name : names) {
      std::string below = path;
      below.append("/").append(name);
      INGOT_TRY(bool equal, same({one, below, name.c_str()}, {other, below, name.c_str()}));
      if (!equal) return false;
    }
    return true;
  }

  Result<bool> same_bytes(int one, int other, const std::string& path) {
    constexpr std::size_t kPart = 256U << 10;
    buffer_.resize(2 * kPart);
    while (true) {
      INGOT_TRY(auto size, fill(one, buffer_.data(), kPart, path));
      INGOT_TRY(auto other_size, fill(other, buffer_.data() + kPart, kPart, path));
      if (size != other_size ||
          !std::equal(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size), buffer_.begin() + kPart)) {
        return false;
      }
      if (size < kPart) return true;
    }
  }

  TreeDigestOptions options_;
  std::vector<char> buffer_;
};

}  // namespace

Result<bool> same_trees(const sys::RootedDir& one, const sys::RootedDir& other, const std::vector<std::string>& paths,
                        const TreeDigestOptions& options) {
  TreeComparison comparison(options);
  for (const auto& path : paths) {
    if (options.follow_first) {
      INGOT_TRY(bool equal, comparison.same_followed(one, other, path));
      if (!equal) return false;
      continue;
    }
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    INGOT_TRY(auto directory, one.open_path(parent, O_RDONLY | O_DIRECTORY));
    INGOT_TRY(auto other_directory, other.open_path(parent, O_RDONLY | O_DIRECTORY));
    const char* entry = name.empty() ? "." : name.c_str();
    INGOT_TRY(bool equal, comparison.same({directory.get(), path, entry}, {other_directory.get(), path, entry}));
    if (!equal) return false;
  }
  return true;
}

}  // namespace ingot::store
