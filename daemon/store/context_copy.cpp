#include "daemon/store/context_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/store/accounts.h"

namespace ingot::store {

namespace {

using base::fail;
using base::fail_errno;
using proto::EntryType;
using proto::ManifestEntry;

// The manifest by path, with the directories that are only implied by what lies in them.
using Tree = std::map<std::string, ManifestEntry>;

Tree make_tree(const proto::ContextManifest& context) {
  Tree tree;
  for (const auto& entry : context.entries) tree[entry.path] = entry;
  for (const auto& entry : context.entries) {
    for (std::size_t slash = entry.path.find('/'); slash != std::string::npos;
         slash = entry.path.find('/', slash + 1)) {
      ManifestEntry directory;
      directory.path = entry.path.substr(0, slash);
      directory.type = EntryType::directory;
      directory.mode = 0755;
      tree.try_emplace(directory.path, directory);
    }
  }
  return tree;
}

std::string normal(const std::string& path) {
  std::string text = fs::path("/" + path).lexically_normal().string().substr(1);
  while (text.ends_with('/')) text.pop_back();
  return text;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

class ContextCopier {
 public:
  ContextCopier(const graph::CopyOp& op, const proto::ContextManifest& context, const BlobStore& blobs,
                const sys::RootedDir& root)
      : op_(op), tree_(make_tree(context)), blobs_(blobs), root_(root) {}

  Status run() {
    INGOT_CHECK(find_owner());
    std::vector<std::string> sources;
    for (const auto& pattern : op_.sources) INGOT_CHECK(select(pattern, sources));
    if (sources.empty()) return {};
    const bool into = op_.destination_is_directory || sources.size() > 1 || is_directory(op_.destination);
    for (const auto& source : sources) INGOT_CHECK(copy_one(source, into));
    return {};
  }

 private:
  Status find_owner() {
    if (op_.chown.empty()) return {};
    INGOT_TRY(owner_, find_account(root_, op_.chown));
    return {};
  }

  // Appends what `pattern` names, "" being the whole context.
  Status select(const std::string& pattern, std::vector<std::string>& sources) const {
    const std::string wanted = normal(pattern);
    if (wanted.empty() || tree_.contains(wanted)) {
      sources.push_back(wanted);
      return {};
    }
    const std::size_t before = sources.size();
    if (base::has_glob(wanted)) {
      for (const auto& [path, entry] : tree_) {
        if (base::glob_match(wanted, path)) sources.push_back(path);
      }
    }
    if (sources.size() > before || op_.if_exists) return {};
    std::vector<std::string> names;
    for (const auto& [path, entry] : tree_) names.push_back(path);
    std::string hint = base::did_you_mean(wanted, names);
    if (hint.empty()) hint = "check the path, whether .earthlyignore drops it, or use COPY --if-exists";
    return fail(ErrorKind::not_found, "\"" + pattern + "\" is not in the project directory", hint);
  }

  bool is_directory(const std::string& path) const {
    auto status = root_.status(path, true);
    return status && S_ISDIR(status->st_mode);
  }

  Status copy_one(const std::string& source, bool into) {
    const bool whole_context = source.empty();
    EntryType type = EntryType::directory;
    if (!whole_context) type = follow(source).type;
    if (type != EntryType::directory) {
      const std::string target = into ? op_.destination + "/" + base_name(source) : op_.destination;
      INGOT_CHECK(root_.make_directories(fs::path(target).parent_path()));
      return put(op_.symlink_no_follow ? tree_.at(source) : follow(source), target);
    }
    // --dir keeps the directory itself: below the destination, or under its name when that is not there yet.
    const bool keep = op_.dir && !whole_context && into;
    return copy_directory(source, keep ? op_.destination + "/" + base_name(source) : op_.destination);
  }

  // The entry that a symlink at the top of a COPY leads to; a link whose end is not in the context stays itself.
  const ManifestEntry& follow(const std::string& source) const {
    const ManifestEntry* entry = &tree_.at(source);
    for (int hops = 0; hops < 40 && entry->type == EntryType::symlink && !op_.symlink_no_follow; ++hops) {
      auto found = tree_.find(normal((fs::path(entry->path).parent_path() / entry->link_target).string()));
      if (found == tree_.end()) break;
      entry = &found->second;
    }
    return *entry;
  }

  Status copy_directory(const std::string& source, const std::string& target) {
    const std::string from = source.empty() ? "" : follow(source).path;
    INGOT_CHECK(root_.make_directories(target));
    if (!from.empty() && op_.dir) INGOT_CHECK(set_attributes(tree_.at(from), target));
    const std::string prefix = from.empty() ? "" : from + "/";
    std::vector<std::pair<const ManifestEntry*, std::string>> directories;
    for (auto it = tree_.lower_bound(prefix); it != tree_.end() && it->first.starts_with(prefix); ++it) {
      const std::string to = target + "/" + it->first.substr(prefix.size());
      INGOT_CHECK(put(it->second, to));
      if (it->second.type == EntryType::directory) directories.emplace_back(&it->second, to);
    }
    // Their times changed while they were filled.
    for (auto it = directories.rbegin(); it != directories.rend(); ++it) {
      INGOT_CHECK(set_attributes(*it->first, it->second));
    }
    return {};
  }

  Status put(const ManifestEntry& entry, const std::string& target) {
    switch (entry.type) {
      case EntryType::directory: {
        INGOT_CHECK(root_.make_directories(target));
        return set_attributes(entry, target);
      }
      case EntryType::symlink:
        return put_symlink(entry, target);
      case EntryType::file:
        return put_file(entry, target);
    }
    return {};
  }

  Result<sys::UniqueFd> parent_of(const std::string& target) const {
    return root_.open_path(fs::path(target).parent_path(), O_PATH | O_DIRECTORY);
  }

  Status put_symlink(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(auto parent, parent_of(target));
    const std::string name = base_name(target);
    if (unlinkat(parent.get(), name.c_str(), 0) != 0 && errno != ENOENT) return fail_errno(errno, "COPY to " + target);
    if (symlinkat(entry.link_target.c_str(), parent.get(), name.c_str()) != 0) {
      return fail_errno(errno, "COPY: cannot make symlink " + target);
    }
    return set_attributes(entry, target);
  }

  Status put_file(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(auto digest, base::Digest::parse(entry.digest));
    INGOT_TRY(auto from, sys::open_file(blobs_.path(digest), O_RDONLY));
    INGOT_TRY(auto parent, parent_of(target));
    const std::string name = base_name(target);
    // A new inode: what stands there may be a lower layer's, or a symlink, which COPY replaces and never writes
    // through.
    if (unlinkat(parent.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return fail_errno(errno, "COPY: cannot replace " + target);
    }
    sys::UniqueFd to(openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to) return fail_errno(errno, "COPY: cannot make " + target);
    while (true) {
      constexpr std::size_t kStep = 64U << 20;
      ssize_t copied = copy_file_range(from.get(), nullptr, to.get(), nullptr, kStep, 0);
      if (copied == 0) break;
      if (copied < 0 && errno == EXDEV) {
        INGOT_CHECK(copy_by_hand(from.get(), to.get(), target));
        break;
      }
      if (copied < 0 && errno != EINTR) return fail_errno(errno, "COPY to " + target);
    }
    return set_attributes(entry, target);
  }

  static Status copy_by_hand(int from, int to, const std::string& target) {
    std::vector<char> buffer(1 << 20);
    while (true) {
      ssize_t got = read(from, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(errno, "COPY to " + target);
      if (got == 0) return {};
      INGOT_CHECK(sys::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
    }
  }

  Status set_attributes(const ManifestEntry& entry, const std::string& target) const {
    INGOT_TRY(auto parent, parent_of(target));
    const std::string name = base_name(target);
    if (fchownat(parent.get(), name.c_str(), owner_.uid, owner_.gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "COPY: cannot set the owner of " + target);
    }
    const bool chmod_applies = op_.chmod && entry.type == EntryType::file;
    if (entry.type != EntryType::symlink &&
        fchmodat(parent.get(), name.c_str(), chmod_applies ? *op_.chmod : entry.mode, 0) != 0) {
      return fail_errno(errno, "COPY: cannot set the mode of " + target);
    }
    timespec time{kCopyTimeSeconds, 0};
    if (op_.keep_ts) {
      time.tv_sec = entry.mtime_ns / 1'000'000'000;
      time.tv_nsec = entry.mtime_ns % 1'000'000'000;
    }
    const timespec times[2] = {time, time};
    if (utimensat(parent.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "COPY: cannot set the time of " + target);
    }
    return {};
  }

  const graph::CopyOp& op_;
  const Tree tree_;
  const BlobStore& blobs_;
  const sys::RootedDir& root_;
  Account owner_;
};

}  // namespace

Status copy_from_context(const graph::CopyOp& op, const proto::ContextManifest& context, const BlobStore& blobs,
                         const sys::RootedDir& root) {
  return ContextCopier(op, context, blobs, root).run();
}

}  // namespace ingot::store
