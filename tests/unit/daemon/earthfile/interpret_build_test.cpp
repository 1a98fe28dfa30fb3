#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::vector<std::string> commands(const graph::Graph& graph) {
  std::vector<std::string> found;
  for (const auto& exec : steps_of<graph::ExecOp>(graph)) found.push_back(exec.command);
  return found;
}

std::string building(const std::string& lines) {
  return "VERSION 0.8\nt:\n" + lines +
         "u:\n    FROM debian:bookworm\n    ARG A=1\n    ARG B=1\n    RUN make-$A-$B\n    SAVE ARTIFACT inner\n"
         "    SAVE ARTIFACT out AS LOCAL build/out\n    SAVE IMAGE --push registry/u:$A\n";
}

TEST(Build, builds_the_other_target_with_its_local_artifacts_and_images) {
  const auto graph = graph_of(building("    BUILD +u\n"));
  EXPECT_THAT(commands(graph), ElementsAre("make-$A-$B"));
  ASSERT_EQ(graph.artifacts.size(), 1U) << "what has no place in the project is the other target's own affair";
  EXPECT_EQ(graph.artifacts[0].local_path, "build/out");
  ASSERT_EQ(graph.images.size(), 1U);
  EXPECT_EQ(graph.images[0].name, "registry/u:1");
  EXPECT_TRUE(graph.images[0].push);
}

TEST(Build, what_is_only_started_or_copied_from_hands_nothing_out) {
  const auto graph = graph_of(building("    FROM +u\n    RUN more\n    COPY +u/out /\n"));
  EXPECT_TRUE(graph.artifacts.empty() && graph.images.empty());
}

TEST(Build, is_the_same_target_once_however_it_is_reached) {
  const auto graph = graph_of(building("    FROM +u\n    BUILD +u\n    BUILD +u\n    COPY +u/out /\n"));
  EXPECT_EQ(commands(graph).size(), 1U);
  EXPECT_EQ(graph.artifacts.size(), 1U);
  EXPECT_EQ(graph.images.size(), 1U);
}

TEST(Build, repeated_arguments_make_every_combination) {
  const auto graph = graph_of(building("    BUILD +u --A=1 --A=2 --B=x --B=y\n"));
  std::vector<std::string> seen;
  for (const auto& exec : steps_of<graph::ExecOp>(graph)) {
    std::string one;
    for (const auto& [name, value] : exec.env) {
      if (name == "A" || name == "B") one += value;
    }
    seen.push_back(one);
  }
  EXPECT_THAT(seen, UnorderedElementsAre("1x", "1y", "2x", "2y"));
}

TEST(Build, chains_hand_out_what_their_ends_save) {
  const auto graph = graph_of(building("    BUILD +v\nv:\n    BUILD +u --A=7\n"));
  EXPECT_EQ(graph.images.at(0).name, "registry/u:7");
}

TEST(Build, what_it_cannot_build_is_said) {
  EXPECT_THAT(error_of(building("    BUILD\n")), StartsWith("Earthfile:3:5: BUILD needs a target"));
  EXPECT_THAT(error_of(building("    BUILD u\n")),
              StartsWith("Earthfile:3:11: BUILD takes a target, and \"u\" is none"));
  EXPECT_THAT(error_of(building("    BUILD +w\n")), StartsWith("Earthfile:3:11: Earthfile has no target \"+w\""));
  EXPECT_THAT(error_of(building("    BUILD --platform=linux/riscv64 +u\n")), StartsWith("Earthfile:3:11: this host"));
  EXPECT_THAT(error_of(building("    BUILD +u more\n")),
              StartsWith("Earthfile:3:14: behind a target stand only arguments"));
}

TEST(Build, a_matrix_beyond_all_measure_is_refused) {
  std::string line = "    BUILD +u";
  for (const char* name : {"A", "B", "C", "D", "E"}) {
    for (int i = 0; i < 20; ++i) line += std::string(" --") + name + "=" + std::to_string(i);
  }
  EXPECT_EQ(error_kind_of(building(line + "\n")), ErrorKind::too_large);
}

}  // namespace
}  // namespace ingot::earthfile
