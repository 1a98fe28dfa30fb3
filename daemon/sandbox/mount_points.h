#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "daemon/sys/rooted.h"

namespace ingot::sandbox {

// The runtime makes what it mounts on (/proc, /etc/resolv.conf, ...) where an image lacks it, and so writes into the
// step's layer. This remembers what was missing, and afterwards takes it out of the layer again, with the times of the
// directories that changed by it: a layer holds only what the step itself wrote.
class MountPoints {
 public:
  // `root` is the mounted file system before the runtime runs.
  static MountPoints before(const sys::RootedDir& root);
  void clean(const sys::fs::path& upper) const;

 private:
  std::vector<std::string> missing_;  // children before their directories
  struct Directory {
    std::string path;
    timespec modified;
  };
  std::vector<Directory> directories_;
};

}  // namespace ingot::sandbox
