#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "daemon/base/ignore.h"
#include "daemon/earthfile/lint.h"

namespace ingot::client {

// What stands beside an Earthfile, for lint.
class Beside {
 public:
  explicit Beside(std::filesystem::path directory);

  earthfile::Surroundings surroundings() {
    return {[this](const std::string& directory) { return other(directory); },
            [this](const std::string& path) { return ignored(path); }};
  }

 private:
  const earthfile::File* other(const std::string& directory);
  bool ignored(const std::string& path) const;

  std::filesystem::path directory_;
  base::IgnoreRules rules_;
  std::map<std::string, std::unique_ptr<const earthfile::File>> others_;
};

}  // namespace ingot::client
