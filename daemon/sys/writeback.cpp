#include "daemon/sys/writeback.h"

#include <fcntl.h>

#include <chrono>

namespace ingot::sys {

void start_writeback(int fd) {
  (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

WritebackBeside::WritebackBeside(int fd)
    : thread_([this, fd] {
        constexpr std::chrono::milliseconds kPause{10};
        std::unique_lock lock(mutex_);
        while (!ended_) {
          lock.unlock();
          start_writeback(fd);
          lock.lock();
          ends_.wait_for(lock, kPause, [this] { return ended_; });
        }
      }) {}

WritebackBeside::~WritebackBeside() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ends_.notify_one();
  thread_.join();
}

}  // namespace ingot::sys
