#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::store {

// From one descriptor's place to its end, by the kernel alone where the file systems allow it. `what` begins the
// message of an error.
Status copy_bytes(int from, int to, const std::string& what);

// The same bytes, in large pieces, to `sink`.
Status read_bytes(int from, const std::string& what, const std::function<Status(std::string_view)>& sink);

}  // namespace ingot::store
