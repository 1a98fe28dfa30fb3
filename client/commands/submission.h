#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "client/cli/command_table.h"
#include "client/context/upload.h"
#include "proto/secrets.h"

namespace ingot::client {

// From a command line of `build` or `submit` to a job in the daemon's queue: checks what can be checked here, sends the
// project, submits.
Result<proto::Job> submit_project(const Invocation& invocation, Daemon& daemon,
                                  const std::function<void(const UploadProgress&)>& progress);

struct Prepared {
  proto::JobSpec spec;
  std::set<std::string> hosts;  // of other repositories, that the project's Earthfiles or the target name
};

// The same as far as the specification, for `plan`: nothing is queued.
Result<Prepared> prepare_project(const Invocation& invocation, Daemon& daemon,
                                 const std::function<void(const UploadProgress&)>& progress);

// What the user's git knows for these hosts; what is there already counts.
Status add_git_credentials(const std::filesystem::path& project, const std::set<std::string>& hosts,
                           proto::Secrets& secrets);

}  // namespace ingot::client
