#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <vector>

namespace ingot::store {

// A file that layers and blobs have in common.
struct SharedFile {
  std::uint64_t bytes = 0;  // on the disk
  ino_t inode = 0;
  bool has_other_names = false;
  static SharedFile of(const struct stat& status);
};

// Which directories have a name of a file. A directory that never changes is read at its first question, and remembered
// while it is one of the last that were asked for. Thread-safe.
class FileFinder {
 public:
  bool has(const std::filesystem::path& directory, ino_t inode);

 private:
  struct Known {
    std::filesystem::path directory;
    std::vector<ino_t> inodes;  // sorted
  };
  std::mutex mutex_;
  std::deque<Known> known_;
};

}  // namespace ingot::store
