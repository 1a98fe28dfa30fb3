#include "daemon/store/context_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/store/accounts.h"
#include "daemon/store/context_tree.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;
using proto::EntryType;
using proto::ManifestEntry;

struct Source {
  const ManifestEntry* entry;  // behind the symlinks that are followed
  std::string name;            // as the COPY has it; "" for the whole context
};

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string parent_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string below(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

// Every path is resolved inside of the root, every attribute set through a descriptor or on the link itself: what the
// image has in the way as symlinks leads nowhere else.
class ContextCopier {
 public:
  ContextCopier(const graph::CopyOp& op, const proto::ContextManifest& context, const BlobStore& blobs,
                const sys::RootedDir& root)
      : op_(op), tree_(context), blobs_(blobs), root_(root) {}

  Status run() {
    if (!op_.chown.empty()) {
      INGOT_TRY(owner_, find_account(root_, op_.chown));
    }
    std::vector<Source> sources;
    for (const auto& pattern : op_.sources) INGOT_CHECK(select(pattern, sources));
    if (sources.empty()) return {};
    const bool several = sources.size() > 1 || op_.sources.size() > 1;
    const bool into = op_.destination_is_directory || several || is_directory(op_.destination);
    for (const auto& source : sources) INGOT_CHECK(copy(source, into));
    return set_directory_times();
  }

 private:
  Status select(const std::string& pattern, std::vector<Source>& sources) const {
    const std::size_t before = sources.size();
    for (const auto& path : tree_.select(pattern)) {
      const ManifestEntry* entry = tree_.resolve(path, !op_.symlink_no_follow);
      if (entry != nullptr) sources.push_back({entry, base_name(path)});
    }
    if (sources.size() > before || op_.if_exists) return {};
    return fail(tree_.missing(pattern));
  }

  bool is_directory(const std::string& path) const {
    auto status = root_.status(path, true);
    return status && S_ISDIR(status->st_mode);
  }

  Status copy(const Source& source, bool into) {
    const bool is_directory = source.entry->type == EntryType::directory;
    // --dir keeps the directory itself: below the destination, or under its name when that is not there yet.
    const bool under_own_name = into && !source.name.empty() && (op_.dir || !is_directory);
    const std::string target = under_own_name ? below(op_.destination, source.name) : op_.destination;
    INGOT_CHECK(make_parents(parent_path(target)));
    return is_directory ? copy_directory(*source.entry, target) : put(*source.entry, target);
  }

  Status copy_directory(const ManifestEntry& source, const std::string& target) {
    INGOT_TRY(bool made, make_directory(target));
    // What was there before keeps its attributes, but for what lies below it.
    if (made) INGOT_CHECK(set_directory_attributes(source, target));
    const std::size_t prefix = source.path.empty() ? 0 : source.path.size() + 1;
    for (const ManifestEntry* entry : tree_.below(source)) {
      INGOT_CHECK(put(*entry, below(target, entry->path.substr(prefix))));
    }
    return {};
  }

  Status put(const ManifestEntry& entry, const std::string& target) {
    if (entry.type == EntryType::symlink) return put_symlink(entry, target);
    if (entry.type == EntryType::file) return put_file(entry, target);
    INGOT_CHECK(make_directory(target));
    return set_directory_attributes(entry, target);
  }

  // The directory that holds `target`, which is asked for again and again.
  Result<int> holder_of(const std::string& target) {
    const std::string parent = parent_path(target);
    if (!holder_ || holder_path_ != parent) {
      INGOT_TRY(holder_, root_.open_path(parent, O_PATH | O_DIRECTORY));
      holder_path_ = parent;
    }
    return holder_.get();
  }

  // Directories above the destination are Docker's 0755, of the same owner as what is copied.
  Status make_parents(const std::string& path) {
    if (root_.exists(path)) return {};
    INGOT_CHECK(make_parents(parent_path(path)));
    INGOT_CHECK(root_.make_directories(path));
    INGOT_TRY(auto fd, root_.open_path(path, O_RDONLY | O_DIRECTORY));
    if (fchown(fd.get(), owner_.uid, owner_.gid) != 0)
      return fail_errno(errno, "COPY: cannot set the owner of " + path);
    directory_times_.emplace_back(path, timespec{kCopyTimeSeconds, 0});
    return {};
  }

  Result<bool> make_directory(const std::string& target) {
    if (target == "/") return false;
    INGOT_TRY(int holder, holder_of(target));
    if (mkdirat(holder, base_name(target).c_str(), 0755) == 0) return true;
    if (errno != EEXIST) return fail_errno(errno, "COPY: cannot make directory " + target);
    if (is_directory(target)) return false;
    // A link to a directory that is still to be made, inside of the root.
    auto status = root_.status(target, false);
    if (status && S_ISLNK(status->st_mode)) {
      INGOT_CHECK(root_.make_directories(target));
      return true;
    }
    return fail(ErrorKind::conflict, "COPY: " + target + " is there and is no directory",
                "remove it first, or give COPY another destination");
  }

  Status put_symlink(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(int holder, replaceable(target));
    const std::string name = base_name(target);
    if (symlinkat(entry.link_target.c_str(), holder, name.c_str()) != 0) {
      return fail_errno(errno, "COPY: cannot make symlink " + target);
    }
    const timespec times[2] = {time_of(entry), time_of(entry)};
    if (fchownat(holder, name.c_str(), owner_.uid, owner_.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        utimensat(holder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "COPY: cannot set owner and time of " + target);
    }
    return {};
  }

  Status put_file(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(auto digest, base::Digest::parse(entry.digest));
    INGOT_TRY(auto from, sys::open_file(blobs_.path(digest), O_RDONLY));
    INGOT_TRY(int holder, replaceable(target));
    const sys::UniqueFd to(openat(holder, base_name(target).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to) return fail_errno(errno, "COPY: cannot make " + target);
    INGOT_CHECK(sys::copy_bytes(from.get(), to.get(), "COPY to " + target));
    return set_attributes(to.get(), entry, target);
  }

  // A new inode: what stands there may be a lower layer's, or a symlink, which COPY replaces and never writes through.
  Result<int> replaceable(const std::string& target) {
    INGOT_TRY(int holder, holder_of(target));
    if (unlinkat(holder, base_name(target).c_str(), 0) == 0 || errno == ENOENT) return holder;
    if (errno == EISDIR) {
      return fail(ErrorKind::conflict, "COPY: " + target + " is a directory, and what is copied there is none",
                  "write the destination with a slash at its end to copy into it");
    }
    return fail_errno(errno, "COPY: cannot replace " + target);
  }

  Status set_directory_attributes(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(auto fd, root_.open_path(target, O_RDONLY | O_DIRECTORY));
    INGOT_CHECK(set_attributes(fd.get(), entry, target));
    directory_times_.emplace_back(target, time_of(entry));
    return {};
  }

  Status set_attributes(int fd, const ManifestEntry& entry, const std::string& target) const {
    // The owner first: changing it takes set-user-ID bits away.
    if (fchown(fd, owner_.uid, owner_.gid) != 0) return fail_errno(errno, "COPY: cannot set the owner of " + target);
    if (fchmod(fd, op_.chmod.value_or(entry.mode)) != 0) {
      return fail_errno(errno, "COPY: cannot set the mode of " + target);
    }
    const timespec times[2] = {time_of(entry), time_of(entry)};
    if (futimens(fd, times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + target);
    return {};
  }

  timespec time_of(const ManifestEntry& entry) const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (!op_.keep_ts) return {kCopyTimeSeconds, 0};
    const std::int64_t nanoseconds = ((entry.mtime_ns % kSecond) + kSecond) % kSecond;
    return {(entry.mtime_ns - nanoseconds) / kSecond, nanoseconds};
  }

  // Last of all: each changed when something was put into it.
  Status set_directory_times() const {
    for (const auto& [path, time] : directory_times_) {
      INGOT_TRY(auto fd, root_.open_path(path, O_RDONLY | O_DIRECTORY));
      const timespec times[2] = {time, time};
      if (futimens(fd.get(), times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + path);
    }
    return {};
  }

  const graph::CopyOp& op_;
  const ContextTree tree_;
  const BlobStore& blobs_;
  const sys::RootedDir& root_;
  Account owner_;
  std::string holder_path_;
  sys::UniqueFd holder_;
  std::vector<std::pair<std::string, timespec>> directory_times_;
};

}  // namespace

Status copy_from_context(const graph::CopyOp& op, const proto::ContextManifest& context, const BlobStore& blobs,
                         const sys::RootedDir& root) {
  return ContextCopier(op, context, blobs, root).run();
}

}  // namespace ingot::store
