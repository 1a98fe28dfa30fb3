#include "daemon/store/tree_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "daemon/store/accounts.h"
#include "daemon/store/artifact_source.h"
#include "daemon/store/copy_target.h"
#include "daemon/store/tree_attributes.h"
#include "daemon/store/tree_compare.h"
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
    std::string path;  // in the file system that it is copied from
    const struct stat& status;
  };
  // Where it goes. Nothing stands in a directory that is new.
  struct Place {
    std::string path;
    bool in_new_directory;
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
      return copy_contents(fd.get(), source.path, target, made);
    }
    if (S_ISREG(status.st_mode)) {
      if (links_ != nullptr) linkable_ = links_->source(parent_path(source.path));
      return put_file({AT_FDCWD, base_name(source.path), source.path, status}, {target, false},
                      [&] { return from_.open_path(source.path, O_RDONLY | O_NONBLOCK | no_follow); });
    }
    INGOT_TRY(auto directory, from_.open_path(parent_path(source.path), O_PATH | O_DIRECTORY));
    return put({directory.get(), base_name(source.path), source.path, status}, {target, false});
  }

  // Directories come last, so that what is open for the files of one is closed before the next is entered.
  Status copy_contents(int directory, const std::string& path, const std::string& target, bool is_new) {
    INGOT_TRY(auto names, sys::names_in(directory, path));
    if (links_ != nullptr) linkable_ = links_->source(path);
    std::vector<std::pair<std::string, struct stat>> directories;
    for (const auto& name : names) {
      if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
      struct stat status {};
      if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno(errno, "COPY: cannot look at " + below(path, name));
      }
      if (S_ISDIR(status.st_mode))
        directories.emplace_back(name, status);
      else
        INGOT_CHECK(put({directory, name, below(path, name), status}, {below(target, name), is_new}));
    }
    linkable_ = {};
    for (const auto& [name, status] : directories) {
      const std::string inner = below(path, name);
      const std::string inner_target = below(target, name);
      const sys::UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd) return fail_errno(errno, "COPY: cannot open directory " + inner);
      INGOT_TRY(bool made, target_.make_directory(inner_target));
      INGOT_CHECK(set_directory_attributes(fd.get(), status, inner, inner_target));
      INGOT_CHECK(copy_contents(fd.get(), inner, inner_target, made));
    }
    return {};
  }

  // All but a directory.
  Status put(const Entry& entry, const Place& place) {
    const char* name = entry.name.c_str();
    if (S_ISREG(entry.status.st_mode)) {
      return put_file(entry, place, [&]() -> Result<sys::UniqueFd> {
        sys::UniqueFd fd(openat(entry.directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd) return fail_errno(errno, "COPY: cannot open " + entry.path);
        return fd;
      });
    }
    CopyAttributes attributes = attributes_of(entry.status);
    if (S_ISLNK(entry.status.st_mode)) {
      char text[4096];
      const ssize_t size = readlinkat(entry.directory, name, text, sizeof text);
      if (size < 0) return fail_errno(errno, "COPY: cannot read link " + entry.path);
      return target_.put_symlink(place.path, {text, static_cast<std::size_t>(size)}, attributes);
    }
    attributes.mode |= entry.status.st_mode & static_cast<mode_t>(S_IFMT);
    return target_.put_device(place.path, entry.status.st_rdev, attributes);
  }

  Status put_file(const Entry& entry, const Place& place, const std::function<Result<sys::UniqueFd>()>& open) {
    const struct stat& status = entry.status;
    CopyAttributes attributes = attributes_of(status);
    if (links_ != nullptr) {
      INGOT_TRY(auto holder, place.in_new_directory ? target_.holder_of(place.path) : target_.make_room(place.path));
      if (links_->note(linkable_, entry.name, status, holder, base_name(place.path), attributes)) return {};
    }
    if (status.st_nlink > 1) {
      // Names of one file stay names of one file.
      const auto [first, is_new] = first_names_.try_emplace({status.st_dev, status.st_ino}, place.path);
      if (!is_new) return target_.put_link(place.path, first->second);
    }
    INGOT_TRY(auto fd, open());
    INGOT_TRY(attributes.extended, attributes_to_copy(fd.get(), entry.path));
    return target_.put_file(place.path, attributes, [&](int to) {
      return sys::copy_content(fd.get(), to, static_cast<std::uint64_t>(status.st_size), "COPY to " + place.path);
    });
  }

  Status set_directory_attributes(int fd, const struct stat& status, const std::string& path,
                                  const std::string& target) {
    CopyAttributes attributes = attributes_of(status);
    INGOT_TRY(attributes.extended, attributes_to_copy(fd, path));
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
  LayerLinks::Source linkable_;  // the directory whose files are copied
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

Result<bool> same_selection(const graph::CopyOp& op, const sys::RootedDir& one, const sys::RootedDir& other) {
  std::vector<std::string> paths;
  for (const auto& pattern : op.sources) {
    const auto matching = matching_paths(one, pattern);
    if (matching != matching_paths(other, pattern)) return false;
    paths.insert(paths.end(), matching.begin(), matching.end());
  }
  TreeDigestOptions options;
  options.owners = op.keep_own;
  options.times = op.keep_ts;
  options.follow_first = !op.symlink_no_follow;
  return same_trees(one, other, paths, options);
}

}  // namespace ingot::store
