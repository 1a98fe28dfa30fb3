#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace ingot::sys {

// Has the disk begin with what was written to a file, and does not wait for it.
void start_writeback(int fd);

// The same on a thread of its own, and again whenever the file has grown, while the object lives: to begin means to
// find places on the disk, which takes a while for a large file. For one that is being written, or is read before it is
// synced.
class WritebackBeside {
 public:
  explicit WritebackBeside(int fd);
  ~WritebackBeside();
  WritebackBeside(const WritebackBeside&) = delete;
  WritebackBeside& operator=(const WritebackBeside&) = delete;

 private:
  void follow(int fd);

  std::mutex mutex_;
  std::condition_variable ends_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace ingot::sys
