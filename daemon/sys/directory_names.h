#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::sys {

// What an open directory has, sorted, "." and ".." left out. `path` is for messages. The descriptor keeps its place.
Result<std::vector<std::string>> names_in(int directory, const std::string& path);

}  // namespace ingot::sys
