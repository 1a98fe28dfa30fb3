#pragma once

#include <filesystem>

#include "client/fetch/hashed_output.h"
#include "client/transport/daemon.h"

namespace ingot::client {

enum class Afterwards { forget, remember_digest };  // the latter: of what the next build is likely to look at

// Fetches an artifact to `destination`: into a part file beside it, which a broken transfer leaves and the next one
// goes on with; its digest is checked before it gets its name. A connection that breaks is made again for up to a
// minute, and the transfer goes on where it was. The file is the caller's, with the artifact's mode as the caller's
// umask allows it. Kind `conflict` when another process fetches the same file at this moment.
Status download_file(Daemon& daemon, const std::string& job, const proto::Artifact& artifact,
                     const std::filesystem::path& destination, const DownloadProgress& progress,
                     Afterwards afterwards = Afterwards::forget);

// The same to a descriptor that cannot be sought, such as a pipe.
Status download_stream(Daemon& daemon, const std::string& job, const proto::Artifact& artifact, int fd);

std::filesystem::path part_file(const std::filesystem::path& destination);

}  // namespace ingot::client
