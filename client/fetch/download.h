#pragma once

#include <filesystem>
#include <functional>

#include "client/transport/daemon.h"

namespace ingot::client {

using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Fetches an artifact to `destination`: into a part file beside it, which a broken transfer leaves and the next one
// goes on with; its digest is checked before it gets its name. The file is the caller's, with the artifact's mode as
// the caller's umask allows it.
Status download_file(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                     const std::filesystem::path& destination, const DownloadProgress& progress);

// The same to a descriptor that cannot be sought, such as a pipe.
Status download_stream(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, int fd);

std::filesystem::path part_file(const std::filesystem::path& destination);

}  // namespace ingot::client
