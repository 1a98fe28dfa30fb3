#pragma once

#include "client/cli/command_table.h"
#include "proto/secrets.h"
#include "proto/sweep.h"

namespace ingot::client {

struct PreparedSweep {
  proto::SweepSpec spec;
  proto::Secrets secrets;
};

enum class For { planning, running };

// From a sweep's file to what the daemon is given: expands it, checks every cell as a build of it would be checked, and
// sends the project. What is wrong is told on standard error, with its line. A plan needs no secrets.
Result<PreparedSweep> prepare_sweep(const Invocation& invocation, Daemon& daemon, const std::string& file, For purpose);

}  // namespace ingot::client
