#pragma once

#include <string>
#include <vector>

#include "daemon/sandbox/sandbox.h"

namespace ingot::sandbox {

struct Runtime {
  std::string program;               // "runc"; empty: none works here
  bool keeps = false;                // knows --keep: its cgroup can be read after the step
  std::vector<std::string> reasons;  // one line for each that was tried
};

// Which OCI runtime really runs a container on this host: each is asked to run one. `wanted` is "auto" or a program.
Runtime probe_runtime(const std::string& wanted, const fs::path& scratch, sys::ProcessRunner& processes);

}  // namespace ingot::sandbox
