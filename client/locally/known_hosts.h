#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/sys/process.h"

namespace ingot::client {

// The lines by which ssh knows a host, "name" or "[name]:port", in the user's files and in the system's; empty where it
// is not known. The names in the files may be hashed, so ssh's own program looks.
Result<std::string> known_hosts_of(const std::string& host, const std::vector<std::filesystem::path>& files,
                                   sys::ProcessRunner& processes, const sys::CancelToken& cancel);

// Where ssh looks by itself, as far as there is such a file.
std::vector<std::filesystem::path> known_hosts_files();

}  // namespace ingot::client
