#pragma once

#include <filesystem>

#include "daemon/base/result.h"
#include "daemon/sys/fd.h"

// Stream sockets that have a name in the file system, however long it is.
namespace ingot::sys {

// A new name, of mode 0600, that nobody can connect to before somebody listens.
Result<UniqueFd> bind_unix(const std::filesystem::path& path);
// Kind `unavailable` when nobody listens there.
Result<UniqueFd> connect_unix(const std::filesystem::path& path);

}  // namespace ingot::sys
