#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/sys/files.h"

namespace ingot::store {

namespace fs = std::filesystem;

// Trees that nobody needs any more: a rename puts them here at once, and a thread of its own removes them later. It
// takes its time while the disk has room: ext4 takes many times as long to make files in the first minutes after as
// many were removed. What is left when the process ends is removed after the next start. Thread-safe.
class Trash {
 public:
  static Result<std::unique_ptr<Trash>> open(const fs::path& directory);
  ~Trash();  // stops in the midst of a tree
  Trash(const Trash&) = delete;
  Trash& operator=(const Trash&) = delete;

  Status take(const fs::path& tree);  // on the trash's file system; one that is not there is no error
  void empty_now();                   // at full speed; returns once all is gone that can be removed

 private:
  using Duration = std::chrono::steady_clock::duration;

  explicit Trash(fs::path directory) : directory_(std::move(directory)) {}
  void run();
  bool remove(const fs::path& tree);  // these three: false when it is time to stop
  bool remove_parts(const fs::path& tree, int depth);
  bool pause(Duration worked);

  const fs::path directory_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool stopping_ = false;
  bool hurry_ = false;
  bool idle_ = false;  // nothing was taken since the last look at the directory
  std::uint64_t taken_ = 0;
  std::thread thread_;
};

}  // namespace ingot::store
