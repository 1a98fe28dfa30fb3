#include "daemon/store/copy_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace ingot::store {

using base::fail;
using base::fail_errno;

namespace {

Status set_attributes_of_name(int holder, const std::string& name, const CopyAttributes& attributes,
                              const std::string& target) {
  const timespec times[2] = {attributes.time, attributes.time};
  if (fchownat(holder, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      utimensat(holder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "COPY: cannot set owner and time of " + target);
  }
  return {};
}

}  // namespace

Status set_attributes(int fd, const CopyAttributes& attributes, const std::string& path) {
  // The owner first: changing it takes set-user-ID bits and capabilities away.
  if (fchown(fd, attributes.uid, attributes.gid) != 0) {
    return fail_errno(errno, "COPY: cannot set the owner of " + path);
  }
  if (fchmod(fd, attributes.mode) != 0) return fail_errno(errno, "COPY: cannot set the mode of " + path);
  for (const auto& [name, value] : attributes.extended) {
    if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
      return fail_errno(errno, "COPY: cannot set attribute " + name + " of " + path);
    }
  }
  const timespec times[2] = {attributes.time, attributes.time};
  if (futimens(fd, times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + path);
  return {};
}

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

std::string place_of(const graph::CopyOp& op, const std::string& name, bool is_directory, bool into) {
  const bool under_own_name = into && !name.empty() && (op.dir || !is_directory);
  return under_own_name ? below(op.destination, name) : op.destination;
}

bool CopyTarget::is_directory(const std::string& path) const {
  auto status = root_.status(path, true);
  return status && S_ISDIR(status->st_mode);
}

// The directory that holds `target`, which is asked for again and again.
Result<CopyTarget::Holder> CopyTarget::holder_of(const std::string& target) {
  const std::string parent = parent_path(target);
  if (!holder_ || holder_path_ != parent) {
    INGOT_TRY(holder_, root_.open_path(parent, O_PATH | O_DIRECTORY));
    holder_path_ = parent;
  }
  return Holder{holder_path_, holder_.get()};
}

Status CopyTarget::make_parents(const std::string& path, uid_t uid, gid_t gid) {
  if (root_.exists(path)) return {};
  INGOT_CHECK(make_parents(parent_path(path), uid, gid));
  INGOT_CHECK(root_.make_directories(path));
  INGOT_TRY(auto fd, root_.open_path(path, O_RDONLY | O_DIRECTORY));
  if (fchown(fd.get(), uid, gid) != 0) return fail_errno(errno, "COPY: cannot set the owner of " + path);
  directory_times_.emplace_back(path, timespec{kCopyTimeSeconds, 0});
  return {};
}

Result<bool> CopyTarget::make_directory(const std::string& target) {
  if (target == "/") return false;
  INGOT_TRY(auto holder, holder_of(target));
  if (mkdirat(holder.fd, base_name(target).c_str(), 0755) == 0) return true;
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

Status CopyTarget::set_directory_attributes(const std::string& target, const CopyAttributes& attributes) {
  INGOT_TRY(auto fd, root_.open_path(target, O_RDONLY | O_DIRECTORY));
  INGOT_CHECK(set_attributes(fd.get(), attributes, target));
  directory_times_.emplace_back(target, attributes.time);
  return {};
}

// A new inode: what stands there may be a lower layer's, or a symlink, which COPY replaces and never writes through.
Result<CopyTarget::Holder> CopyTarget::make_room(const std::string& target) {
  INGOT_TRY(auto holder, holder_of(target));
  if (unlinkat(holder.fd, base_name(target).c_str(), 0) == 0 || errno == ENOENT) return holder;
  if (errno == EISDIR) {
    return fail(ErrorKind::conflict, "COPY: " + target + " is a directory, and what is copied there is none",
                "write the destination with a slash at its end to copy into it");
  }
  return fail_errno(errno, "COPY: cannot replace " + target);
}

Status CopyTarget::put_symlink(const std::string& target, const std::string& leads_to,
                               const CopyAttributes& attributes) {
  INGOT_TRY(auto holder, make_room(target));
  const std::string name = base_name(target);
  if (symlinkat(leads_to.c_str(), holder.fd, name.c_str()) != 0) {
    return fail_errno(errno, "COPY: cannot make symlink " + target);
  }
  return set_attributes_of_name(holder.fd, name, attributes, target);
}

Status CopyTarget::put_file(const std::string& target, const CopyAttributes& attributes,
                            const std::function<Status(int)>& fill) {
  INGOT_TRY(auto holder, make_room(target));
  const sys::UniqueFd to(openat(holder.fd, base_name(target).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return fail_errno(errno, "COPY: cannot make " + target);
  INGOT_CHECK(fill(to.get()));
  return set_attributes(to.get(), attributes, target);
}

Status CopyTarget::put_device(const std::string& target, dev_t device, const CopyAttributes& attributes) {
  INGOT_TRY(auto holder, make_room(target));
  const std::string name = base_name(target);
  if (mknodat(holder.fd, name.c_str(), attributes.mode, device) != 0) {
    return fail_errno(errno, "COPY: cannot make " + target);
  }
  INGOT_CHECK(set_attributes_of_name(holder.fd, name, attributes, target));
  // Not what the mask left of it.
  if (fchmodat(holder.fd, name.c_str(), attributes.mode & 07777U, 0) != 0) {
    return fail_errno(errno, "COPY: cannot set the mode of " + target);
  }
  return {};
}

Status CopyTarget::put_link(const std::string& target, const std::string& first_name) {
  INGOT_TRY(auto first_holder, root_.open_path(parent_path(first_name), O_PATH | O_DIRECTORY));
  INGOT_TRY(auto holder, make_room(target));
  if (linkat(first_holder.get(), base_name(first_name).c_str(), holder.fd, base_name(target).c_str(), 0) != 0) {
    return fail_errno(errno, "COPY: cannot link " + target + " to " + first_name);
  }
  return {};
}

Status CopyTarget::set_directory_times() const {
  for (const auto& [path, time] : directory_times_) {
    INGOT_TRY(auto fd, root_.open_path(path, O_RDONLY | O_DIRECTORY));
    const timespec times[2] = {time, time};
    if (futimens(fd.get(), times) != 0) return fail_errno(errno, "COPY: cannot set the time of " + path);
  }
  return {};
}

}  // namespace ingot::store
