#include "daemon/graph/prune.h"

#include <utility>

namespace ingot::graph {

Graph prune(Graph graph, const std::vector<StepId>& wanted) {
  std::vector<bool> needed(graph.steps.size(), false);
  for (StepId id : wanted) needed.at(id) = true;
  for (const auto& artifact : graph.artifacts) needed.at(artifact.from) = true;
  // Parents come first, so one walk from the end meets every child before its parent.
  for (StepId id = graph.steps.size(); id-- > 0;) {
    if (needed[id] && graph.steps[id].parent) needed.at(*graph.steps[id].parent) = true;
  }
  std::vector<StepId> renamed(graph.steps.size(), 0);
  Graph pruned;
  for (StepId id = 0; id < graph.steps.size(); ++id) {
    if (!needed[id]) continue;
    Step& step = graph.steps[id];
    if (step.parent) step.parent = renamed[*step.parent];
    renamed[id] = pruned.steps.size();
    pruned.steps.push_back(std::move(step));
  }
  pruned.artifacts = std::move(graph.artifacts);
  for (auto& artifact : pruned.artifacts) artifact.from = renamed[artifact.from];
  return pruned;
}

}  // namespace ingot::graph
