#pragma once

#include "daemon/api/server.h"
#include "daemon/sys/files.h"

namespace ingot::api {

// A Unix socket that listens at the settings' path. A file that a dead daemon left there is replaced; a daemon that
// answers behind it is kind `conflict`.
Result<sys::UniqueFd> open_listening_socket(const ServerSettings& settings);

}  // namespace ingot::api
