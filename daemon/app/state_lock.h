#pragma once

#include <filesystem>

#include "daemon/sys/file_lock.h"

namespace ingot::app {

// The state directory, for this process alone; kind `conflict` when another one has it. A daemon that is killed just
// when it launches a program leaves its lock with that for a moment, so it is tried for a second.
Result<sys::FileLock> lock_state(const std::filesystem::path& state);

}  // namespace ingot::app
