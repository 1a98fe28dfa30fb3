#pragma once

#include <string>

#include "daemon/sandbox/sandbox.h"

namespace ingot::sandbox {

// Ends what a daemon of the same state directory left when it was killed: its containers' processes, by their cgroup
// and so never somebody else's, then mounts, directories and cgroups. Says in the log what cannot be removed.
void remove_leftovers(const Settings& settings, const sys::Cgroups& cgroups, const std::string& cgroup);

}  // namespace ingot::sandbox
