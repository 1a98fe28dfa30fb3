#pragma once

namespace ingot::proto {

// Of client and daemon, from the project's CMakeLists.txt.
extern const char* const kVersion;

}  // namespace ingot::proto
