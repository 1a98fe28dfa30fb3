#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/earthfile/options.h"
#include "daemon/graph/graph.h"

namespace ingot::earthfile {

struct MountOption {
  graph::Mount mount;
  std::string from;  // of a bind: what its files are of, for the interpreter to find
};

// RUN --mount=type=cache,target=/path,...; `working_dir` is what a relative target counts from, `target` names the
// caches that have no id.
Result<MountOption> parse_mount(const Options::Value& option, const std::string& target,
                                const std::string& working_dir);
// --ssh: the socket of the user's SSH agent, where BuildKit has it.
graph::Mount agent_mount();
Result<graph::Mount::Sharing> parse_sharing(const std::string& text, const Place& place);
Result<unsigned> parse_mode(const std::string& text, const Place& place, const std::string& flag);

}  // namespace ingot::earthfile
