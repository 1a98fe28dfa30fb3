#pragma once

#include <sys/stat.h>

#include <string>

#include "daemon/base/result.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

// A directory tree that is not ours (a container's root, a caller's project) and may hold hostile symlinks:
// every path is resolved by the kernel inside of it (openat2), so that nothing outside can be reached by any
// name.
class RootedDir {
 public:
  enum class Links {
    stay_inside,  // RESOLVE_IN_ROOT: absolute links start at this root, as in a chroot
    refuse,       // RESOLVE_BENEATH: a link that would leave is an error
  };
  static Result<RootedDir> open(const fs::path& root, Links links = Links::stay_inside);

  // Relative or absolute `path`, both meant from the root. Kind `not_found` when it is not there.
  Result<UniqueFd> open_path(const std::string& path, int flags, unsigned mode = 0) const;
  Result<struct stat> status(const std::string& path, bool follow) const;
  bool exists(const std::string& path) const;
  // Like mkdir -p; existing links to directories are followed inside the root.
  Status make_directories(const std::string& path, unsigned mode = 0755) const;
  int fd() const { return fd_.get(); }

 private:
  RootedDir(UniqueFd fd, Links links) : fd_(std::move(fd)), links_(links) {}
  UniqueFd fd_;
  Links links_;
};

}  // namespace ingot::sys
