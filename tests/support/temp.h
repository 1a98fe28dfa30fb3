#pragma once

#include <filesystem>

#include "daemon/sys/files.h"

namespace ingot::test {

// A directory below the system's temporary one that goes with the test.
class TempDirectory {
 public:
  TempDirectory();
  const std::filesystem::path& path() const { return directory_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }
  // Writes `text` to a file below, with its directories; returns the path.
  std::filesystem::path file(const std::string& name, const std::string& text) const;

 private:
  sys::TempDir directory_;
};

std::string slurp(const std::filesystem::path& path);

}  // namespace ingot::test
