#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/files.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

namespace fs = std::filesystem;

// Copies of files between stacks of layers that cost no bytes: a layer never changes, so a file that is to be the same
// in all respects can be one more name of the one that is there. Links cannot cross mounts, and what lies below a
// mounted stack must not be changed: they are noted while the stacks are mounted, and made when the one that is written
// is not any more.
class LayerLinks {
 public:
  // `from`: the layers that are copied from, bottom first. `merged` and `upper`: the mounted stack that is written, and
  // its writable layer.
  static Result<LayerLinks> open(const std::vector<fs::path>& from, const fs::path& merged, const fs::path& upper);

  // Notes that `name` in the directory `holder` of the mounted stack is to be what `path` shows as `shown`. False when
  // that cannot be done: then it is to be copied.
  bool note(const std::string& path, const struct stat& shown, int holder, const std::string& name);
  // Once the stack is unmounted. The latest note about a name counts; what was written there after it stays.
  Status make() const;

 private:
  struct Link {
    std::size_t layer;
    std::string path;    // in that layer
    std::string holder;  // in the writable layer
    std::string name;
  };
  explicit LayerLinks(const fs::path& merged) : merged_(merged.string()) {}
  std::string holder_path(int holder) const;
  Status make_one(const Link& link, const sys::UniqueFd& holder) const;

  std::string merged_;
  std::vector<sys::RootedDir> layers_;  // bottom first
  std::vector<sys::RootedDir> upper_;   // the one
  std::vector<Link> links_;
};

}  // namespace ingot::store
