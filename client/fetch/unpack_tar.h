#pragma once

#include <filesystem>

#include "daemon/base/result.h"

namespace ingot::client {

// Unpacks a tar into `directory`, which is made; what it holds is the caller's, with modes as the umask allows them.
// Files, directories and links only; an entry of another kind, or one that leads out, is an error of kind `denied`.
Status unpack_tar(const std::filesystem::path& archive, const std::filesystem::path& directory);

}  // namespace ingot::client
