#include "client/context/numbered_lock.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "daemon/sys/files.h"

namespace ingot::client {

std::optional<NumberedLock> NumberedLock::acquire(const std::filesystem::path& file, std::uint32_t number,
                                                  std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  if (!sys::make_directories(file.parent_path(), 0700)) return std::nullopt;
  auto fd = sys::open_file(file, O_RDWR | O_CREAT, 0600);
  if (!fd) return std::nullopt;
  // One byte of the file, which need not be that long. The lock is the open file's, so that threads have their own.
  struct flock byte {};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  byte.l_start = number;
  byte.l_len = 1;
  std::chrono::milliseconds pause{1};
  while (fcntl(fd->get(), F_OFD_SETLK, &byte) != 0) {
    const bool is_held = errno == EAGAIN || errno == EACCES || errno == EINTR;
    if (!is_held || std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(8));
  }
  return NumberedLock(std::move(*fd));
}

}  // namespace ingot::client
