#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/files.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// The files that a mounted stack shows, where they are: in one of its layers.
class LayerFiles {
 public:
  static Result<LayerFiles> open(const std::vector<sys::fs::path>& layers);  // bottom first

  struct File {
    sys::UniqueFd fd;   // open to be read
    std::string layer;  // the name of its directory
  };
  // What `path` shows as `shown`; none when no layer has just that there.
  std::optional<File> find(const std::string& path, const struct stat& shown) const;

 private:
  struct Layer {
    std::string name;
    sys::RootedDir root;
  };
  std::vector<Layer> layers_;  // the topmost first
};

}  // namespace ingot::store
