#include "tests/crash/disk_use.h"

#include <sys/stat.h>

#include <set>

namespace ingot::test {

namespace fs = std::filesystem;

namespace {

// 0 for a file that was counted already.
std::uint64_t count_once(const fs::path& path, std::set<std::pair<dev_t, ino_t>>& seen) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !seen.emplace(status.st_dev, status.st_ino).second) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

std::uint64_t files_on_disk(const fs::path& tree) {
  std::uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const auto& entry : fs::recursive_directory_iterator(tree)) {
    if (entry.is_regular_file()) bytes += count_once(entry.path(), seen);
  }
  return bytes;
}

LayersOnDisk layers_on_disk(const fs::path& snapshots, const fs::path& blobs) {
  LayersOnDisk layers;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const auto& blob : fs::recursive_directory_iterator(blobs)) count_once(blob.path(), seen);
  for (const auto& entry : fs::directory_iterator(snapshots)) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    ++layers.count;
    for (const auto& inside : fs::recursive_directory_iterator(entry.path())) {
      layers.bytes += count_once(inside.path(), seen);
    }
  }
  return layers;
}

}  // namespace ingot::test
