#pragma once

#include <string>

#include "daemon/schedule/scheduler.h"
#include "daemon/sys/process.h"

namespace ingot::app {

// Submits the sweep of a schedule, as a user would: by the client, which packs the project and checks every cell. It
// runs as whom the sweep's file belongs to, so that a file of somebody else's reads nothing for them. The sweep's id.
Result<std::string> submit_scheduled(const schedule::Plan& plan, const std::string& key, const std::string& socket,
                                     sys::ProcessRunner& processes, const sys::CancelToken& cancel);

}  // namespace ingot::app
