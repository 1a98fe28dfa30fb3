#pragma once

#include "daemon/base/digest.h"
#include "daemon/graph/graph.h"

namespace ingot::graph {

// What a step is by its definition alone: equal operations on equal inputs are equal, whatever the target or line that
// they were written in. The order of a RUN's variables does not count. `inputs` are the definitions of inputs(step), in
// their order.
base::Digest definition(const Operation& operation, const std::vector<base::Digest>& inputs);
base::Digest definition(const base::Digest& operation_digest, const std::vector<base::Digest>& inputs);
// The operation without what it stands on: equal for a RUN of the same text on another parent.
base::Digest operation_digest(const Operation& operation);
base::Digest operation_digest(const Step& step);  // computed only where the step does not know it

}  // namespace ingot::graph
