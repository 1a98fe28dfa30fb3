#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/graph/graph.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// COPY without --keep-ts gives every file this time (2020-04-16T12:00:00Z), so that a checkout's age changes nothing.
inline constexpr std::int64_t kCopyTimeSeconds = 1'587'038'400;

struct CopyAttributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  timespec time{kCopyTimeSeconds, 0};
  std::vector<std::pair<std::string, std::string>> extended;
};

// Of an open file; `path` is for messages.
Status set_attributes(int fd, const CopyAttributes& attributes, const std::string& path);

// Where a COPY writes: a step's mounted file system. Every path is resolved inside of it, every attribute set through a
// descriptor or on the link itself: what the image has in the way as symlinks leads nowhere else.
class CopyTarget {
 public:
  explicit CopyTarget(const sys::RootedDir& root) : root_(root) {}

  bool is_directory(const std::string& path) const;
  // Directories above the destination are Docker's 0755.
  Status make_parents(const std::string& path, uid_t uid, gid_t gid);
  // False when it is there already.
  Result<bool> make_directory(const std::string& target);
  Status set_directory_attributes(const std::string& target, const CopyAttributes& attributes);
  Status put_symlink(const std::string& target, const std::string& leads_to, const CopyAttributes& attributes);
  // `fill` writes the content of a new file.
  Status put_file(const std::string& target, const CopyAttributes& attributes, const std::function<Status(int)>& fill);
  Status put_device(const std::string& target, dev_t device, const CopyAttributes& attributes);
  // Another name of what was put before.
  Status put_link(const std::string& target, const std::string& first_name);
  // A directory that holds what is put, by its path here and open.
  struct Holder {
    const std::string& path;
    int fd;
  };
  // Takes away what stands there; gives the directory that holds it.
  Result<Holder> make_room(const std::string& target);
  // The same where nothing can stand: in a directory that this copy made.
  Result<Holder> holder_of(const std::string& target);
  // Last of all: each directory changed when something was put into it.
  Status set_directory_times() const;

 private:
  const sys::RootedDir& root_;
  std::string holder_path_;
  sys::UniqueFd holder_;
  std::vector<std::pair<std::string, timespec>> directory_times_;
};

// Where a COPY puts a source of that name. --dir keeps a directory itself: below the destination, or under its name
// when that is not there yet. `into`: the destination is a directory, or several things go there.
std::string place_of(const graph::CopyOp& op, const std::string& name, bool is_directory, bool into);

std::string base_name(const std::string& path);
std::string parent_path(const std::string& path);
std::string below(const std::string& directory, const std::string& name);

}  // namespace ingot::store
