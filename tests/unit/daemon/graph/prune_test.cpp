#include "daemon/graph/prune.h"

#include <gtest/gtest.h>

namespace ingot::graph {
namespace {

Step step(const std::string& text, std::optional<StepId> parent) {
  Step step;
  step.text = text;
  step.parent = parent;
  return step;
}

std::string drawn(const Graph& graph) {
  std::string text;
  for (const auto& step : graph.steps) {
    text += step.text + (step.parent ? "<" + std::to_string(*step.parent) : "") + " ";
  }
  for (const auto& artifact : graph.artifacts) text += "save" + std::to_string(artifact.from) + " ";
  return text;
}

Graph sample() {
  Graph graph;
  graph.steps = {step("a", std::nullopt), step("b", 0), step("c", std::nullopt), step("d", 2), step("e", 2)};
  return graph;
}

TEST(Prune, keeps_what_is_wanted_and_what_it_stands_on) {
  EXPECT_EQ(drawn(prune(sample(), {4})), "c e<0 ");
  EXPECT_EQ(drawn(prune(sample(), {1, 3})), "a b<0 c d<2 ");
  EXPECT_EQ(drawn(prune(sample(), {})), "");
}

TEST(Prune, keeps_what_an_artifact_stands_on_and_renames_it) {
  Graph graph = sample();
  SaveArtifact artifact;
  artifact.from = 3;
  graph.artifacts.push_back(artifact);
  EXPECT_EQ(drawn(prune(graph, {})), "c d<0 save1 ");
}

}  // namespace
}  // namespace ingot::graph
