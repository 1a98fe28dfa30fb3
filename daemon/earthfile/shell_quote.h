#pragma once

#include <string>
#include <vector>

namespace ingot::earthfile {

// The text for /bin/sh that means exactly these words.
std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace ingot::earthfile
