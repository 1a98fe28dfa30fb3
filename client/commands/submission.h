#pragma once

#include <functional>

#include "client/cli/command_table.h"
#include "client/context/upload.h"

namespace ingot::client {

// From a command line of `build` or `submit` to a job in the daemon's queue: checks what can be checked here, sends the
// project, submits.
Result<proto::Job> submit_project(const Invocation& invocation, Daemon& daemon,
                                  const std::function<void(const UploadProgress&)>& progress);

// The same as far as the specification, for `plan`: nothing is queued.
Result<proto::JobSpec> prepare_project(const Invocation& invocation, Daemon& daemon,
                                       const std::function<void(const UploadProgress&)>& progress);

}  // namespace ingot::client
