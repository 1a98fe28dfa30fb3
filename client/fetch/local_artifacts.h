#pragma once

#include <filesystem>
#include <string>

#include "client/fetch/download.h"

namespace ingot::client {

// AS LOCAL: puts an artifact at its place below `project`, and nowhere else: no name and no symlink leads out. A file
// replaces a file, a directory (which travels as a tar) replaces what stands there.
Status fetch_into_project(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                          const std::filesystem::path& project, const DownloadProgress& progress);

}  // namespace ingot::client
