#include "daemon/sys/fd.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ingot::sys {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset() {
  if (fd_ < 0) return;
  const int saved = errno;  // callers report errno after their descriptors have gone out of scope
  close(std::exchange(fd_, -1));
  errno = saved;
}

std::string name_of(int fd) {
  std::array<char, 4096> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : "descriptor " + std::to_string(fd);
}

}  // namespace ingot::sys
