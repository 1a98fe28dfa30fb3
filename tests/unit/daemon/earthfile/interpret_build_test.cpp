#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
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
  const auto graph = graph_of(
      "VERSION 0.8\nt:\n    BUILD +u --A=1 --A=2 --B x --B=y\nu:\n    FROM debian:bookworm\n    ARG A\n    ARG B\n"
      "    RUN make\n");
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

TEST(Build, what_hands_nothing_out_is_built_all_the_same) {
  EXPECT_THAT(commands(graph_of("VERSION 0.8\nt:\n    FROM +a\na:\n    FROM debian:bookworm\n    BUILD +b\nb:\n"
                                "    FROM debian:bookworm\n    RUN test\n")),
              ElementsAre("test"));
}

TEST(Build, two_images_of_one_name_are_refused_from_0_7_on) {
  const std::string recipe =
      "t:\n    BUILD +u --N=1 --N=2\nu:\n    FROM debian:bookworm\n    ARG N\n"
      "    RUN make $N\n    SAVE IMAGE one:1\n";
  EXPECT_EQ(error_of("VERSION 0.7\n" + recipe),
            "Earthfile:8:16: two images are called one:1: the other one is of Earthfile:8\n      SAVE IMAGE one:1\n"
            "                 ^\n  in +u\nhint: give each a name of its own, such as name:$ARG");
  EXPECT_EQ(error_of("VERSION 0.6\n" + recipe), "");
  // The same image once more is no other one.
  EXPECT_EQ(error_of(in_target("SAVE IMAGE one:1\nSAVE IMAGE one:1")), "");
  EXPECT_THAT(error_of(in_target("SAVE IMAGE one:1\nLABEL a=b\nSAVE IMAGE one:1")), HasSubstr("two images"));
}

TEST(Build, a_builtin_cannot_be_given) {
  EXPECT_EQ(error_of(building("    BUILD +u --TARGETARCH=x\n")),
            "Earthfile:3:14: TARGETARCH cannot be given: it is built in\n      BUILD +u --TARGETARCH=x\n"
            "               ^\nhint: take another name");
}

TEST(Build, patterns_stand_for_directories) {
  FakeHost host;
  const std::string recipe = "VERSION 0.8\na:\n    FROM debian:bookworm\n    RUN build ";
  host.files = {{"s/one/Earthfile", recipe + "one\n"},
                {"s/two/Earthfile", recipe + "two\n"},
                {"s/two/deep/Earthfile", recipe + "deep\n"},
                {"s/other/Earthfile", "VERSION 0.8\nb:\n    FROM debian:bookworm\n"}};
  const File file = parsed("VERSION --wildcard-builds 0.8\nt:\n    BUILD ./s/*+a\n");
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  // Both wait for the image, and either may be the first to go on.
  EXPECT_THAT(commands(result->graph), ::testing::UnorderedElementsAre("build one", "build two"));
  EXPECT_THAT(
      error_of("VERSION 0.8\nt:\n    BUILD ./s/*+a\n"),
      StartsWith("Earthfile:3:11: a pattern for the directory of an Earthfile needs VERSION --wildcard-builds"));
  EXPECT_THAT(error_of("VERSION --wildcard-builds 0.8\nt:\n    BUILD ./s/*+a\n"),
              StartsWith("Earthfile:3:11: there is no Earthfile in ./s/*"));
}

TEST(Build, what_it_cannot_build_is_said) {
  EXPECT_THAT(error_of(building("    BUILD\n")), StartsWith("Earthfile:3:5: BUILD needs a target"));
  EXPECT_THAT(error_of(building("    BUILD u\n")),
              StartsWith("Earthfile:3:11: BUILD takes a target, and \"u\" is none"));
  EXPECT_THAT(error_of(building("    BUILD +w\n")), StartsWith("Earthfile:3:11: Earthfile has no target \"+w\""));
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
