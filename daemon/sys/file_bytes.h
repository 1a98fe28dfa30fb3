#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::sys {

// From one descriptor's place to its end, by the kernel alone where the file systems allow it: shared blocks where they
// can share, no way through this process elsewhere. `what` begins the message of an error; `copied` is told of every
// part.
Status copy_bytes(int from, int to, const std::string& what, const std::function<void(std::uint64_t)>& copied = {});

// The bytes from `begin` to `end`, to the same place in the other file.
Status copy_range(int from, int to, std::int64_t begin, std::int64_t end, const std::string& what);

// A whole file of that size into an empty one; holes stay holes.
Status copy_content(int from, int to, std::uint64_t size, const std::string& what);

// The same bytes, in large pieces, to `sink`.
Status read_bytes(int from, const std::string& what, const std::function<Status(std::string_view)>& sink);

}  // namespace ingot::sys
