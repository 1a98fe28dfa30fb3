#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "daemon/base/result.h"

namespace ingot::app {

enum class FsckDepth {
  quick,  // names, rows and sizes
  full,   // the content of blobs and layers too
};

struct FsckResult {
  std::uint64_t mended = 0;
  std::uint64_t left = 0;  // what it could not mend

  // 0: nothing was wrong. 1: all is mended. 9: something is left.
  int exit_code() const { return left > 0 ? 9 : mended > 0 ? 1 : 0; }
};

// Holds the state directory of a daemon that does not run against its database, and mends what differs: what was lost
// is forgotten, so that it is made or sent again, and what is nobody's is removed. `tell` gets a line for each finding.
// Kind `conflict` when a daemon uses the directory.
Result<FsckResult> fsck(const std::filesystem::path& state, FsckDepth depth,
                        const std::function<void(const std::string& line)>& tell);

}  // namespace ingot::app
