#include "daemon/store/tree_digest.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "daemon/store/tree_attributes.h"
#include "daemon/sys/directory_names.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::store {

namespace {

using base::fail_errno;

// A name below an open directory; every call on it goes by way of that directory.
struct DigestedEntry {
  int directory;
  std::string name;
  std::string path;  // for messages and for the digest
};

class TreeHasher {
 public:
  explicit TreeHasher(const TreeDigestOptions& options) : options_(options) {}

  Status add(const DigestedEntry& entry) {
    struct stat status {};
    if (fstatat(entry.directory, entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at " + entry.path);
    }
    add_description(entry.path, status);
    if (S_ISLNK(status.st_mode)) return add_link(entry);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {};
    const sys::UniqueFd fd(openat(entry.directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "cannot open " + entry.path);
    return add_content(fd.get(), entry.path, status);
  }

  // What a path leads to, under the path's name.
  Status add_followed(const sys::RootedDir& root, const std::string& path, const std::string& name) {
    INGOT_TRY(auto status, root.status(path, true));
    add_description(name, status);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {};
    INGOT_TRY(auto fd, root.open_path(path, O_RDONLY | O_NONBLOCK));
    return add_content(fd.get(), name, status);
  }

  base::Digest finish() { return hasher_.finish(); }

 private:
  Status add_children(int directory, const std::string& path) {
    INGOT_TRY(auto names, sys::names_in(directory, path));
    for (const auto& name : names) INGOT_CHECK(add({directory, name, path + "/" + name}));
    field("");  // the directory's end
    return {};
  }
  Status add_attributes(int fd, const std::string& path) {
    INGOT_TRY(auto attributes, tree_attributes(fd, path));
    for (const auto& [name, value] : attributes) {
      field(name);
      field(value);
    }
    return {};
  }
  void number(std::uint64_t value) { hasher_.update(&value, sizeof value); }
  void field(std::string_view value) {
    number(value.size());
    hasher_.update(value);
  }

  void add_description(const std::string& path, const struct stat& status) {
    field(path);
    number(status.st_mode);
    if (options_.owners) {
      number(status.st_uid);
      number(status.st_gid);
    }
    if (options_.times && !S_ISDIR(status.st_mode)) {
      number(static_cast<std::uint64_t>(status.st_mtim.tv_sec));
      number(static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
    }
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) number(status.st_rdev);
  }
  Status add_content(int fd, const std::string& path, const struct stat& status) {
    INGOT_CHECK(add_attributes(fd, path));
    if (S_ISDIR(status.st_mode)) return add_children(fd, path);
    number(static_cast<std::uint64_t>(status.st_size));
    return sys::read_bytes(fd, "cannot read " + path, [&](std::string_view bytes) -> Status {
      hasher_.update(bytes);
      return {};
    });
  }
  Status add_link(const DigestedEntry& entry) {
    char target[4096];
    const ssize_t size = readlinkat(entry.directory, entry.name.c_str(), target, sizeof target);
    if (size < 0) return fail_errno(errno, "cannot read link " + entry.path);
    field({target, static_cast<std::size_t>(size)});
    return {};
  }

  TreeDigestOptions options_;
  base::Hasher hasher_;
};

Status add_sizes(int directory, const std::string& path, std::set<std::pair<dev_t, ino_t>>& seen, TreeSize& size) {
  INGOT_TRY(auto names, sys::names_in(directory, path));
  for (const auto& name : names) {
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at " + path + "/" + name);
    }
    ++size.entries;
    const bool first =
        S_ISDIR(status.st_mode) || status.st_nlink < 2 || seen.emplace(status.st_dev, status.st_ino).second;
    if (first) size.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    if (!S_ISDIR(status.st_mode)) continue;
    const sys::UniqueFd below(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) return fail_errno(errno, "cannot open directory " + path + "/" + name);
    INGOT_CHECK(add_sizes(below.get(), path + "/" + name, seen, size));
  }
  return {};
}

}  // namespace

Result<base::Digest> tree_digest(const sys::RootedDir& root, const std::vector<std::string>& paths,
                                 const TreeDigestOptions& options) {
  TreeHasher hasher(options);
  for (const auto& path : paths) {
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (options.follow_first) {
      INGOT_CHECK(hasher.add_followed(root, path, name));
      continue;
    }
    INGOT_TRY(auto directory, root.open_path(parent, O_RDONLY | O_DIRECTORY));
    if (name.empty()) {
      // The root itself: its attributes are those of the layer's top directory.
      INGOT_CHECK(hasher.add({directory.get(), ".", ""}));
    } else {
      INGOT_CHECK(hasher.add({directory.get(), name, name}));
    }
  }
  return hasher.finish();
}

Result<TreeSize> tree_size(const sys::fs::path& tree) {
  INGOT_TRY(auto fd, sys::open_file(tree, O_RDONLY | O_DIRECTORY));
  TreeSize size;
  std::set<std::pair<dev_t, ino_t>> seen;
  INGOT_CHECK(add_sizes(fd.get(), tree.string(), seen, size));
  return size;
}

}  // namespace ingot::store
