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
  // Like mkdir -p, with exactly `mode` for the new ones. Links are followed inside the root, also those whose target
  // is still to be made.
  Status make_directories(const std::string& path, unsigned mode = 0755) const;
  int fd() const { return fd_.get(); }

 private:
  RootedDir(UniqueFd fd, std::string root, Links links) : fd_(std::move(fd)), root_(std::move(root)), links_(links) {}
  Status make_directory(const std::string& parent, const std::string& name, unsigned mode, int links_left) const;
  Status make_below(const std::string& path, unsigned mode, int links_left) const;

  UniqueFd fd_;
  std::string root_;  // for messages
  Links links_;
};

}  // namespace ingot::sys
