#pragma once

#include <filesystem>
#include <utility>

#include "daemon/base/result.h"
#include "daemon/sys/fd.h"

namespace ingot::sys {

// An exclusive flock that lives as long as the object. The file holds the pid of its last owner, and stays.
class FileLock {
 public:
  // Kind `conflict` when another process, or another object of this one, holds it.
  static Result<FileLock> acquire(const std::filesystem::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ingot::sys
