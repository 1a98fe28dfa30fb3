#pragma once

#include <string>

namespace ingot::sys {

// Owns a descriptor. Every descriptor of the daemon is opened with O_CLOEXEC.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

// The path that the kernel knows for an open descriptor, for messages only: it may be stale.
std::string name_of(int fd);

}  // namespace ingot::sys
