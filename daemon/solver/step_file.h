#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/sys/rooted.h"

namespace ingot::solver {

// A text that a step's file system has; kind `not_found` when it is not there. Links lead nowhere else.
Result<std::string> text_of_file(const sys::RootedDir& root, const std::string& path);

}  // namespace ingot::solver
