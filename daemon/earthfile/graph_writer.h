#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/result.h"
#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Collects the steps of a graph. A step that is there already is not written twice, whichever target asks for it.
class GraphWriter {
 public:
  // The step's inputs are there already. Fails when the graph grows beyond what any real recipe needs.
  Result<graph::StepId> add(graph::Step step);
  void add(graph::SaveArtifact artifact) { graph_.artifacts.push_back(std::move(artifact)); }
  void add(graph::SaveImage image) { graph_.images.push_back(std::move(image)); }
  // All that one step stands on, and that step as the last; the others stay to be written on.
  graph::Graph up_to(graph::StepId step) const;
  // The graph, less what none of `wanted`, the artifacts and the images stands on.
  graph::Graph finish(const std::vector<graph::StepId>& wanted);

 private:
  graph::Graph graph_;
  std::vector<base::Digest> definitions_;  // by StepId
  std::unordered_map<std::string, graph::StepId> by_definition_;
  std::size_t bytes_ = 0;
};

}  // namespace ingot::earthfile
