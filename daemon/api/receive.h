#pragma once

#include <cstddef>
#include <vector>

#include "daemon/sys/fd.h"

namespace ingot::api {

// Open files that a client sent beside its bytes. One more than a request may have is kept, to tell that it was too
// many; the rest is closed at once.
struct PassedIn {
  static constexpr std::size_t kMost = 2;
  std::vector<sys::UniqueFd> files;
};

// What is there now, without waiting: the number of bytes, 0 at the end, -1 with errno.
std::ptrdiff_t receive(int socket, void* to, std::size_t size, PassedIn& passed);

}  // namespace ingot::api
