#pragma once

#include <string>

#include "client/render/text.h"
#include "client/transport/daemon.h"

namespace ingot::client {

// Shows a sweep on standard output until it has ended: on a terminal its grid, elsewhere a line for each cell that
// ends; with `silent` nothing. A daemon that is restarted meanwhile is waited for.
Result<proto::Sweep> follow_sweep(Daemon& daemon, const std::string& id, const Style& style, bool silent);

std::size_t terminal_columns();

}  // namespace ingot::client
