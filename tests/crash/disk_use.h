#pragma once

#include <cstdint>
#include <filesystem>

namespace ingot::test {

// As `du` counts: blocks, and a file with several names once.
std::uint64_t files_on_disk(const std::filesystem::path& tree);
// All below snapshots/<number>, directories included, but for files that are blobs too.
struct LayersOnDisk {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
LayersOnDisk layers_on_disk(const std::filesystem::path& snapshots, const std::filesystem::path& blobs);

}  // namespace ingot::test
