#include "daemon/store/tree_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "daemon/base/strings.h"
#include "daemon/store/accounts.h"
#include "daemon/store/artifact_source.h"
#include "daemon/store/copy_target.h"
#include "daemon/store/tree_digest.h"
#include "daemon/sys/directory_names.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;

struct Source {
  std::string path;  // absolute; the last link is followed on demand
  std::string name;  // as the COPY has it; "" for the whole file system
};

Result<std::vector<Source>> select(const std::string& command, const graph::CopyOp& op, const sys::RootedDir& from) {
  std::vector<Source> sources;
  for (const auto& pattern : op.sources) {
    const auto paths = matching_paths(from, pattern);
    if (paths.empty() && !op.if_exists) return fail(missing_source(command, pattern, from));
    for (const auto& path : paths) sources.push_back({path, base_name(path)});
  }
  return sources;
}

// All but what belongs to the place where the file is: overlayfs' own marks, a host's labels.
Result<std::vector<std::pair<std::string, std::string>>> extended_attributes(int fd, const std::string& path) {
  std::vector<std::pair<std::string, std::string>> found;
  thread_local std::vector<char> buffer(64U << 10);
  const ssize_t size = flistxattr(fd, buffer.data(), buffer.size());
  if (size < 0 && errno != EOPNOTSUPP) return fail_errno(errno, "cannot list the attributes of " + path);
  if (size <= 0) return found;
  for (const auto& name : base::split({buffer.data(), static_cast<std::size_t>(size)}, '\0')) {
    if (name.empty() || name.starts_with("trusted.overlay.") || name == "security.selinux") continue;
    const ssize_t length = fgetxattr(fd, name.c_str(), buffer.data(), buffer.size());
    if (length < 0) return fail_errno(errno, "cannot read attribute " + name + " of " + path);
    found.emplace_back(name, std::string(buffer.data(), static_cast<std::size_t>(length)));
  }
  return found;
}

class TreeCopier {
 public:
  TreeCopier(const std::string& command, const graph::CopyOp& op, const sys::RootedDir& from,
             const sys::RootedDir& root, LayerLinks* links, const sys::CancelToken& cancel)
      : command_(command), op_(op), from_(from), root_(root), links_(links), cancel_(cancel), target_(root) {}

  Status run() {
    if (!op_.chown.empty()) {
      INGOT_TRY(owner_, find_account(root_, op_.chown));
    }
    INGOT_TRY(auto sources, select(command_, op_, from_));
    if (sources.empty()) return {};
    const bool several = sources.size() > 1 || op_.sources.size() > 1;
    const bool into = op_.destination_is_directory || several || target_.is_directory(op_.destination);
    for (const auto& source : sources) INGOT_CHECK(copy(source, into));
    return target_.set_directory_times();
  }

 private:
  // What is copied: a name in an open directory.
  struct Entry {
    int directory;
    std::string name;
    std::string path;  // in the file system that it is copied from, for messages
  };

  Status copy(const Source& source, bool into) {
    INGOT_TRY(auto status, from_.status(source.path, !op_.symlink_no_follow));
    const bool is_directory = S_ISDIR(status.st_mode);
    const std::string target = place_of(op_, source.name, is_directory, into);
    INGOT_CHECK(target_.make_parents(parent_path(target), owner_.uid, owner_.gid));
    const int no_follow = op_.symlink_no_follow ? O_NOFOLLOW : 0;
    if (is_directory) {
      INGOT_TRY(auto fd, from_.open_path(source.path, O_RDONLY | O_DIRECTORY | no_follow));
      INGOT_TRY(bool made, target_.make_directory(target));
      // What was there before keeps its attributes, but for what lies below it.
      if (made) INGOT_CHECK(set_directory_attributes(fd.get(), status, source.path, target));
      return copy_contents(fd.get(), source.path, target);
    }
    if (S_ISREG(status.st_mode)) {
      INGOT_TRY(auto fd, from_.open_path(source.path, O_RDONLY | O_NONBLOCK | no_follow));
      return put_file(fd.get(), status, source.path, target);
    }
    INGOT_TRY(auto directory, from_.open_path(parent_path(source.path), O_PATH | O_DIRECTORY));
    return put({directory.get(), base_name(source.path), source.path}, target);
  }

  Status copy_contents(int directory, const std::string& path, const std::string& target) {
    INGOT_TRY(auto names, sys::names_in(directory, path));
    for (const auto& name : names) {
      if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
      INGOT_CHECK(put({directory, name, below(path, name)}, below(target, name)));
    }
    return {};
  }

  Status put(const Entry& entry, const std::string& target) {
    struct stat status {};
    if (fstatat(entry.directory, entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "COPY: cannot look at " + entry.path);
    }
    const char* name = entry.name.c_str();
    if (S_ISDIR(status.st_mode)) {
      const sys::UniqueFd fd(openat(entry.directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd) return fail_errno(errno, "COPY: cannot open directory " + entry.path);
      INGOT_CHECK(target_.make_directory(target));
      INGOT_CHECK(set_directory_attributes(fd.get(), status, entry.path, target));
      return copy_contents(fd.get(), entry.path, target);
    }
    if (S_ISREG(status.st_mode)) {
      const sys::UniqueFd fd(openat(entry.directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!fd) return fail_errno(errno, "COPY: cannot open " + entry.path);
      return put_file(fd.get(), status, entry.path, target);
    }
    if (S_ISLNK(status.st_mode)) {
      char text[4096];
      const ssize_t size = readlinkat(entry.directory, name, text, sizeof text);
      if (size < 0) return fail_errno(errno, "COPY: cannot read link " + entry.path);
      return target_.put_symlink(target, {text, static_cast<std::size_t>(size)}, attributes_of(status));
    }
    CopyAttributes attributes = attributes_of(status);
    attributes.mode |= status.st_mode & static_cast<mode_t>(S_IFMT);
    return target_.put_device(target, status.st_rdev, attributes);
  }

  Status put_file(int fd, const struct stat& status, const std::string& path, const std::string& target) {
    CopyAttributes attributes = attributes_of(status);
    if (links_ != nullptr && is_so_already(status, attributes)) {
      INGOT_TRY(int holder, target_.make_room(target));
      if (links_->note(path, status, holder, base_name(target))) return {};
    }
    if (status.st_nlink > 1) {
      // Names of one file stay names of one file.
      const auto [first, is_new] = first_names_.try_emplace({status.st_dev, status.st_ino}, target);
      if (!is_new) return target_.put_link(target, first->second);
    }
    INGOT_TRY(attributes.extended, extended_attributes(fd, path));
    return target_.put_file(target, attributes, [&](int to) {
      return copy_content(fd, to, static_cast<std::uint64_t>(status.st_size), target);
    });
  }

  static bool is_so_already(const struct stat& status, const CopyAttributes& wanted) {
    return status.st_uid == wanted.uid && status.st_gid == wanted.gid && (status.st_mode & 07777U) == wanted.mode &&
           status.st_mtim.tv_sec == wanted.time.tv_sec && status.st_mtim.tv_nsec == wanted.time.tv_nsec;
  }

  // Holes stay holes.
  static Status copy_content(int from, int to, std::uint64_t size, const std::string& target) {
    struct stat status {};
    const bool has_holes =
        fstat(from, &status) == 0 && static_cast<std::uint64_t>(status.st_blocks) * 512 + 4096 < size;
    if (!has_holes) return sys::copy_bytes(from, to, "COPY to " + target);
    if (ftruncate(to, static_cast<off_t>(size)) != 0) return fail_errno(errno, "COPY to " + target);
    off_t at = 0;
    while (true) {
      const off_t data = lseek(from, at, SEEK_DATA);
      if (data < 0) return errno == ENXIO ? Status() : fail_errno(errno, "COPY to " + target);
      const off_t end = lseek(from, data, SEEK_HOLE);
      if (end < 0) return fail_errno(errno, "COPY to " + target);
      INGOT_CHECK(sys::copy_range(from, to, data, end, "COPY to " + target));
      at = end;
    }
  }

  Status set_directory_attributes(int fd, const struct stat& status, const std::string& path,
                                  const std::string& target) {
    CopyAttributes attributes = attributes_of(status);
    INGOT_TRY(attributes.extended, extended_attributes(fd, path));
    return target_.set_directory_attributes(target, attributes);
  }

  CopyAttributes attributes_of(const struct stat& status) const {
    CopyAttributes attributes;
    attributes.uid = op_.keep_own ? status.st_uid : owner_.uid;
    attributes.gid = op_.keep_own ? status.st_gid : owner_.gid;
    attributes.mode = op_.chmod.value_or(status.st_mode & 07777U);
    if (op_.keep_ts) attributes.time = status.st_mtim;
    return attributes;
  }

  const std::string& command_;
  const graph::CopyOp& op_;
  const sys::RootedDir& from_;
  const sys::RootedDir& root_;
  LayerLinks* links_;
  const sys::CancelToken& cancel_;
  CopyTarget target_;
  Account owner_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

Status copy_from_tree(const std::string& command, const graph::CopyOp& op, const sys::RootedDir& from,
                      const sys::RootedDir& root, LayerLinks* links, const sys::CancelToken& cancel) {
  return TreeCopier(command, op, from, root, links, cancel).run();
}

Result<base::Digest> selection_digest(const graph::CopyOp& op, const sys::RootedDir& from) {
  INGOT_TRY(auto sources, select("COPY", op, from));
  std::vector<std::string> paths;
  paths.reserve(sources.size());
  for (auto& source : sources) paths.push_back(std::move(source.path));
  TreeDigestOptions options;
  options.owners = op.keep_own;
  options.times = op.keep_ts;
  options.follow_first = !op.symlink_no_follow;
  return tree_digest(from, paths, options);
}

}  // namespace ingot::store
