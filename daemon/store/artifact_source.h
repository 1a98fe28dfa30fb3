#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// The paths below `root` that match an absolute path or pattern, sorted. A symlink that leads nowhere is one of them.
std::vector<std::string> matching_paths(const sys::RootedDir& root, const std::string& pattern);

// For a source of `command` without any: what is there instead.
Error missing_source(const std::string& command, const std::string& source, const sys::RootedDir& root);

}  // namespace ingot::store
