#include "daemon/graph/prune.h"

#include <algorithm>
#include <map>
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

bool has_pushes(const Graph& graph) {
  return std::any_of(graph.steps.begin(), graph.steps.end(), [](const Step& step) { return step.pushes; });
}

Graph without_pushes(const Graph& graph) {
  std::vector<bool> is_left_out(graph.steps.size(), false);
  std::vector<StepId> others;
  for (StepId id = 0; id < graph.steps.size(); ++id) {
    const auto stands_on = inputs(graph.steps[id]);
    is_left_out[id] = graph.steps[id].pushes ||
                      std::any_of(stands_on.begin(), stands_on.end(), [&](StepId input) { return is_left_out[input]; });
    if (!is_left_out[id]) others.push_back(id);
  }
  Graph rest;
  rest.steps = graph.steps;
  return prune(std::move(rest), others);
}

Graph ancestry(const Graph& graph, StepId of) {
  // Ids by their order: an input comes before what stands on it.
  std::map<StepId, StepId> renamed{{of, 0}};
  for (auto at = renamed.rbegin(); at != renamed.rend(); ++at) {
    for (StepId input : inputs(graph.steps.at(at->first))) renamed.try_emplace(input, 0);
  }
  Graph copied;
  copied.steps.reserve(renamed.size());
  for (auto& [id, place] : renamed) {
    place = copied.steps.size();
    copied.steps.push_back(graph.steps[id]);
    rename_inputs(copied.steps.back(), [&](StepId input) { return renamed.at(input); });
  }
  return copied;
}

}  // namespace ingot::graph
