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

// Which OCI runtime really runs a container on this host: each is asked to run one, in a cgroup below `cgroup`.
// `wanted` is "auto" or a program.
Runtime probe_runtime(const std::string& wanted, const fs::path& scratch, const std::string& cgroup,
                      sys::ProcessRunner& processes, const sys::CancelToken& cancel);

// What the runtime itself complained of, in its JSON log, when it could not start a container; empty: nothing.
std::string runtime_complaint(const fs::path& log_file);
// Such a complaint as the error of a step: the step's own fault (no such program) or the host's.
Error startup_error(const std::string& complaint, const StepSpec& step);

}  // namespace ingot::sandbox
