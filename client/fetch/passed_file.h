#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "daemon/base/result.h"

namespace ingot::client {

// A file that the daemon handed over as a descriptor, copied to `to` by the kernel. Returns the checksum of the
// copy as it was written; a second thread makes it, right behind the first.
Result<std::string> copy_passed_file(int from, int to, const std::function<void(std::uint64_t)>& copied);

}  // namespace ingot::client
