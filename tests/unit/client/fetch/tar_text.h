#pragma once

#include <string>

namespace ingot::client {

// One entry of a ustar archive, byte by byte, so that tests can write what no careful program would.
std::string tar_entry(const std::string& name, char type, const std::string& content, const std::string& link = {},
                      unsigned mode = 0644);
std::string tar_end();

}  // namespace ingot::client
