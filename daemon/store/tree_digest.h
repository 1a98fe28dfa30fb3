#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// What of a file counts besides its name, type, mode, content, link target, device number and extended attributes.
struct TreeDigestOptions {
  bool owners = true;
  bool times = false;         // a file that is written anew with the same content is the same
  bool follow_first = false;  // a path that is a symlink stands for what it leads to, under its own name
};

// The content of the paths below `root`, each with all below it, whatever the order of the directories on disk.
// Other symlinks are not followed.
Result<base::Digest> tree_digest(const sys::RootedDir& root, const std::vector<std::string>& paths,
                                 const TreeDigestOptions& options);

struct TreeSize {
  std::uint64_t bytes = 0;  // on disk; a file with several names counts once
  std::uint64_t entries = 0;
};
Result<TreeSize> tree_size(const sys::fs::path& tree);

}  // namespace ingot::store
