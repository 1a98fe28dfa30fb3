#include "daemon/earthfile/graph_writer.h"

#include "daemon/base/url_credentials.h"
#include "daemon/graph/definition.h"
#include "daemon/graph/direct_copies.h"
#include "daemon/graph/prune.h"

namespace ingot::earthfile {

namespace {

constexpr std::size_t kLargestGraph = 64U << 20;

std::size_t size_of(const graph::Step& step) {
  std::size_t size = 2 * step.text.size() + 256;
  if (const auto* exec = std::get_if<graph::ExecOp>(&step.operation)) {
    for (const auto& [name, value] : exec->env) size += name.size() + value.size() + 64;
  }
  if (const auto* file = std::get_if<graph::WriteFileOp>(&step.operation)) size += file->content.size();
  if (const auto* copy = std::get_if<graph::CopyOp>(&step.operation)) {
    for (const auto& pattern : copy->excluded) size += pattern.size() + 64;
  }
  return size;
}

}  // namespace

Result<graph::StepId> GraphWriter::add(graph::Step step) {
  const auto* exec = std::get_if<graph::ExecOp>(&step.operation);
  std::vector<base::Digest> inputs;
  for (graph::StepId input : graph::inputs(step)) inputs.push_back(definitions_.at(input));
  step.operation_digest = graph::operation_digest(step.operation);
  base::Digest definition = graph::definition(*step.operation_digest, inputs);
  // What is to run anew is not what another target may have from the cache, nor is what stands on it.
  if (step.anew) definition = base::Digest::of("anew " + definition.str());
  if (step.keeps_failure) definition = base::Digest::of("keeps failure " + definition.str());
  // What is done locally says which target does it, and behind what.
  const bool may_merge = exec == nullptr || !exec->no_cache || exec->local;
  if (auto known = by_definition_.find(definition.str()); known != by_definition_.end() && may_merge) {
    return known->second;
  }
  bytes_ += size_of(step);
  if (bytes_ > kLargestGraph) {
    return base::fail({ErrorKind::too_large,
                       "the target's steps and their variables are together too large to build",
                       "split the target",
                       step.position,
                       {}});
  }
  const graph::StepId id = graph_.steps.size();
  step.number = id + 1;
  // What a job's log and its record have of a step.
  step.text = base::without_credentials(step.text);
  step.position.source_line = base::without_credentials(step.position.source_line);
  by_definition_.emplace(definition.str(), id);
  definitions_.push_back(std::move(definition));
  graph_.steps.push_back(std::move(step));
  return id;
}

graph::Graph GraphWriter::part(const std::vector<graph::StepId>& steps) const {
  graph::Graph graph = graph_;
  graph::copy_directly(graph);
  return graph::prune(std::move(graph), steps);
}

graph::Graph GraphWriter::up_to(graph::StepId step) const {
  graph::Graph steps = graph::ancestry(graph_, step);
  graph::copy_directly(steps);
  const graph::StepId last = steps.steps.size() - 1;
  return graph::prune(std::move(steps), {last});
}

graph::Graph GraphWriter::whole(const std::vector<graph::StepId>& wanted) const {
  graph::Graph graph = graph_;
  for (const auto& [rank, artifact] : artifacts_) graph.artifacts.push_back(artifact);
  for (const auto& [rank, image] : images_) graph.images.push_back(image);
  graph::copy_directly(graph);
  return graph::prune(std::move(graph), wanted);
}

}  // namespace ingot::earthfile
