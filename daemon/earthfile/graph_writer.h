#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/result.h"
#include "daemon/earthfile/rank.h"
#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Collects the steps of a graph. A step that is there already is not written twice, whichever target asks for it.
class GraphWriter {
 public:
  // The step's inputs are there already. Fails when the graph grows beyond what any real recipe needs.
  Result<graph::StepId> add(graph::Step step);
  void set_pushes(graph::StepId step) { graph_.steps[step].pushes = true; }
  void add(graph::SaveArtifact artifact, Rank rank) { artifacts_.emplace(std::move(rank), std::move(artifact)); }
  void add(graph::SaveImage image, Rank rank) { images_.emplace(std::move(rank), std::move(image)); }
  // These steps and all that they stand on; all stay to be written on.
  graph::Graph part(const std::vector<graph::StepId>& steps) const;
  // The same of one, which is the last of it; costs no more than what that stands on.
  graph::Graph up_to(graph::StepId step) const;
  // The graph, less what none of `wanted`, the artifacts and the images stands on.
  graph::Graph whole(const std::vector<graph::StepId>& wanted) const;

 private:
  graph::Graph graph_;
  std::multimap<Rank, graph::SaveArtifact> artifacts_;
  std::multimap<Rank, graph::SaveImage> images_;
  std::vector<base::Digest> definitions_;  // by StepId
  std::unordered_map<std::string, graph::StepId> by_definition_;
  std::size_t bytes_ = 0;
};

}  // namespace ingot::earthfile
