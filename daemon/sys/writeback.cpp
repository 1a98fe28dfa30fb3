#include "daemon/sys/writeback.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>

namespace ingot::sys {

// Where it cannot be begun, the sync that follows does all of it.
void start_writeback(int fd) {
  (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

WritebackBeside::WritebackBeside(int fd) : thread_([this, fd] { follow(fd); }) {}

void WritebackBeside::follow(int fd) {
  constexpr std::chrono::milliseconds kPause{20};
  constexpr off_t kWorthIt = 8 << 20;  // small pieces get small places
  off_t begun = -kWorthIt;
  std::unique_lock lock(mutex_);
  while (!ended_) {
    lock.unlock();
    struct stat status {};
    if (fstat(fd, &status) == 0 && status.st_size - begun >= kWorthIt) {
      begun = status.st_size;
      start_writeback(fd);
    }
    lock.lock();
    ends_.wait_for(lock, kPause, [this] { return ended_; });
  }
}

WritebackBeside::~WritebackBeside() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ends_.notify_one();
  thread_.join();
}

}  // namespace ingot::sys
