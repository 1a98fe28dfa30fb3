#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/graph/graph.h"
#include "daemon/solver/keys.h"
#include "daemon/store/context_tree.h"

namespace ingot::solver {

// All that a step's key is made of, each by the name that people know it by, with a short digest of its value: two
// jobs' parts of one step say what changed between them, and give no value away.
using Parts = std::map<std::string, std::string>;

Parts parts_of(const graph::Graph& graph, graph::StepId id, const std::vector<StepKey>& keys,
               const store::ContextTree& context);
// Equal for steps whose parts are, as far as their keys say so, without making them; a step that is run whenever it is
// wanted has none: "". `stands_on_anew` belongs to it, as it is kept among the parts.
std::string parts_digest(const graph::Graph& graph, graph::StepId id, const std::vector<StepKey>& keys,
                         bool stands_on_anew);

}  // namespace ingot::solver
