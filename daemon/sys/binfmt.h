#pragma once

#include <string>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/sys/files.h"

namespace ingot::sys {

// Which platforms' programs this host runs: its own, and those that the kernel hands to an emulator by a handler of
// binfmt_misc. It is looked at whenever it is asked, since handlers come and go. Thread-safe.
class Binfmt {
 public:
  static constexpr const char* kDirectory = "/proc/sys/fs/binfmt_misc";
  // Handlers as the kernel shows them. One that nothing is mounted on yet is mounted, for this mount namespace.
  explicit Binfmt(fs::path directory = kDirectory) : directory_(std::move(directory)) {}

  // The emulator that a step's own file system must have, since its handler does not bring it along; "" where nothing
  // is needed. Kind `unsupported` where the host does not run such programs, with what to do about it.
  Result<std::string> interpreter_for(const base::Platform& platform) const;
  // All that run here without anything in their file systems, but for the host's own.
  std::vector<std::string> foreign_platforms() const;

 private:
  bool is_there() const;

  fs::path directory_;
};

}  // namespace ingot::sys
