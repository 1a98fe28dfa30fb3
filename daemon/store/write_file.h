#pragma once

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// Writes the file into `root`, the step's mounted file system.
Status write_file(const graph::WriteFileOp& op, const sys::RootedDir& root);

}  // namespace ingot::store
