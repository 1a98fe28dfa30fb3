#pragma once

#include <string>
#include <string_view>

namespace ingot::earthfile {

// `path` seen from `directory`, without "." and "..", never above "/".
std::string absolute(const std::string& directory, const std::string& path);
std::string base_name(const std::string& path);
// Whether it is written as a directory: "", "x/", ".", "..", "x/.".
bool means_directory(std::string_view path);
// Whether a path in the project leads out of it. An absolute one counts from the project's own root.
bool leaves_project(const std::string& path);

}  // namespace ingot::earthfile
