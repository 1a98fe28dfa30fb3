#pragma once

#include <vector>

#include "daemon/graph/graph.h"

namespace ingot::graph {

// The graph with only what `wanted` and the artifacts stand on; the order of the steps stays, their ids do not.
Graph prune(Graph graph, const std::vector<StepId>& wanted);

// The graph without what pushes, and without what stands on that.
Graph without_pushes(const Graph& graph);
bool has_pushes(const Graph& graph);
// A graph of one step, which is its last, and of all that it stands on; copied from a larger one, without artifacts and
// images. Costs what is copied, however large the other is.
Graph ancestry(const Graph& graph, StepId of);

}  // namespace ingot::graph
