#pragma once

#include "daemon/base/digest.h"
#include "daemon/graph/graph.h"

namespace ingot::graph {

// What a step is by its definition alone: equal operations on equal parents are equal, whatever the target or line that
// they were written in. The order of a RUN's variables does not count. `parent` is empty for an ImageOp.
base::Digest definition(const Operation& operation, const base::Digest& parent);

}  // namespace ingot::graph
