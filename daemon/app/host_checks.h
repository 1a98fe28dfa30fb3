#pragma once

#include <filesystem>
#include <vector>

#include "daemon/sys/process.h"
#include "proto/types.h"

namespace ingot::app {

// What `ingot doctor` says of the host beyond the sandbox: disk, the programs that the daemon starts, ...
std::vector<proto::HostCheck> host_checks(const std::filesystem::path& state_dir, sys::ProcessRunner& processes);
// ... and whether secrets can be kept in `directory`.
proto::HostCheck secrets_check(const std::filesystem::path& directory);

}  // namespace ingot::app
