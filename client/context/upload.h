#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "client/transport/daemon.h"

namespace ingot::client {

struct UploadProgress {
  std::size_t files_sent = 0;
  std::size_t files_to_send = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_to_send = 0;
};

// Sends a project: its manifest, then only the files that the daemon does not have, and none of `never_sent`. Returns
// the context's digest.
Result<std::string> upload_project(Daemon& daemon, const std::filesystem::path& directory,
                                   const std::function<void(const UploadProgress&)>& progress,
                                   const std::vector<std::filesystem::path>& never_sent = {});

}  // namespace ingot::client
