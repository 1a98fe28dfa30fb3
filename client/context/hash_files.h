#pragma once

#include <filesystem>

#include "client/context/hash_cache.h"
#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::client {

// Fills in the size and digest of every file of a manifest, on as many threads as help, and saves what is new to the
// cache. Of several failures the first in the manifest's order is told.
Status hash_files(const std::filesystem::path& root, HashCache& cache, proto::ContextManifest& manifest);

}  // namespace ingot::client
