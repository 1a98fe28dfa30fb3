#pragma once

#include <vector>

#include "daemon/graph/graph.h"

namespace ingot::graph {

// The graph with only what `wanted` and the artifacts stand on; the order of the steps stays, their ids do not.
Graph prune(Graph graph, const std::vector<StepId>& wanted);

}  // namespace ingot::graph
