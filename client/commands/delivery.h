#pragma once

#include <vector>

#include "client/cli/command_table.h"
#include "client/render/event_view.h"

namespace ingot::client {

// How a command that follows a job shows it: --progress, -q and --json, and what the terminal can do.
Result<ViewKind> choose_view(const Invocation& invocation);

// Puts what has an AS LOCAL in its place; tells of every artifact where it is.
Status deliver(const Invocation& invocation, Daemon& daemon, const proto::Job& job,
               const std::vector<proto::Artifact>& artifacts, EventView& view);

}  // namespace ingot::client
