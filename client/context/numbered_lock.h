#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "daemon/sys/fd.h"

namespace ingot::client {

// An exclusive lock on one number, among those who lock numbers in the same file; it lives as long as the object and
// never longer than its process. It spares work and guards nothing: who cannot have it goes on without.
class NumberedLock {
 public:
  static std::optional<NumberedLock> acquire(const std::filesystem::path& file, std::uint32_t number,
                                             std::chrono::milliseconds patience);

 private:
  explicit NumberedLock(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  sys::UniqueFd fd_;
};

}  // namespace ingot::client
