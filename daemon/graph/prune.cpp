#include "daemon/graph/prune.h"

#include <utility>

namespace ingot::graph {

Graph prune(Graph graph, const std::vector<StepId>& wanted) {
  std::vector<bool> needed(graph.steps.size(), false);
  for (StepId id : wanted) needed.at(id) = true;
  for (const auto& artifact : graph.artifacts) needed.at(artifact.from) = true;
  for (const auto& image : graph.images) needed.at(image.from) = true;
  // What a step stands on comes first, so one walk from the end meets every step before its inputs.
  for (StepId id = graph.steps.size(); id-- > 0;) {
    if (!needed[id]) continue;
    for (StepId input : inputs(graph.steps[id])) needed.at(input) = true;
  }
  std::vector<StepId> renamed(graph.steps.size(), 0);
  Graph pruned;
  for (StepId id = 0; id < graph.steps.size(); ++id) {
    if (!needed[id]) continue;
    Step& step = graph.steps[id];
    rename_inputs(step, [&](StepId input) { return renamed[input]; });
    renamed[id] = pruned.steps.size();
    pruned.steps.push_back(std::move(step));
  }
  pruned.artifacts = std::move(graph.artifacts);
  for (auto& artifact : pruned.artifacts) artifact.from = renamed[artifact.from];
  pruned.images = std::move(graph.images);
  for (auto& image : pruned.images) image.from = renamed[image.from];
  return pruned;
}

}  // namespace ingot::graph
