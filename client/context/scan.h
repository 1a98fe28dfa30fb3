#pragma once

#include <filesystem>
#include <vector>

#include "client/context/hash_cache.h"
#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::client {

// A project directory as a manifest: everything in it but what .earthlyignore drops, every file hashed, known ones not
// read again. The Earthfile is in it whatever the rules say, and nothing is dropped that they do not name, .git
// neither. What cannot be sent (sockets, devices, pipes, names that are no UTF-8) is an error with its path; links that
// lead out are the daemon's to refuse. What `never_sent` names, and every file called .secret, is not in it whatever
// the rules say.
Result<proto::ContextManifest> scan_project(const std::filesystem::path& directory, HashCache& cache,
                                            const std::vector<std::filesystem::path>& never_sent = {});

}  // namespace ingot::client
