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

TEST(Prune, an_ancestry_is_a_copy_of_what_one_step_stands_on) {
  Graph graph = sample();
  CopyOp copy;
  copy.from = 1;
  graph.steps.push_back(step("copy", 4));
  graph.steps.back().operation = copy;
  graph.steps.push_back(step("later", 5));
  EXPECT_EQ(drawn(ancestry(graph, 5)), "a b<0 c e<2 copy<3 ");
  EXPECT_EQ(inputs(ancestry(graph, 5).steps[4]), (std::vector<StepId>{3, 1}));
  EXPECT_EQ(drawn(ancestry(graph, 2)), "c ");
}

TEST(Prune, keeps_what_is_copied_and_mounted_from_and_renames_it) {
  Graph graph = sample();
  CopyOp copy;
  copy.from = 1;
  ExecOp exec;
  exec.mounts.emplace_back().from = 3;
  graph.steps.push_back(step("copy", 4));
  graph.steps.back().operation = copy;
  graph.steps.push_back(step("exec", 5));
  graph.steps.back().operation = exec;
  SaveImage image;
  image.from = 6;
  graph.images.push_back(image);
  graph.steps.push_back(step("unneeded", 6));
  const Graph pruned = prune(graph, {});
  EXPECT_EQ(drawn(pruned), "a b<0 c d<2 e<2 copy<4 exec<5 ");
  EXPECT_EQ(inputs(pruned.steps[5]), (std::vector<StepId>{4, 1}));
  EXPECT_EQ(inputs(pruned.steps[6]), (std::vector<StepId>{5, 3}));
  EXPECT_EQ(pruned.images.front().from, 6U);
  EXPECT_EQ(drawn(prune(graph, {0})), drawn(pruned));

  graph.images.clear();
  EXPECT_EQ(drawn(prune(graph, {5})), "a b<0 c e<2 copy<3 ");
  EXPECT_EQ(inputs(prune(graph, {5}).steps[4]), (std::vector<StepId>{3, 1}));
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
