#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

graph::ImageConfig image_of(const std::string& lines) {
  const auto graph = graph_of(in_target(lines + "\nSAVE IMAGE x"));
  EXPECT_EQ(graph.images.size(), 1U);
  return graph.images.empty() ? graph::ImageConfig{} : graph.images.front().config;
}

TEST(SaveImage, has_what_the_target_says_of_it) {
  const auto image = image_of(
      "ENV A=1\nARG HIDDEN=2\nWORKDIR /work\nUSER me\nLABEL a=b c=\"d e\"\nLABEL a=z\nEXPOSE 80 53/udp\n"
      "VOLUME /data /more\nVOLUME [\"/third\"]\nENTRYPOINT [\"/bin/x\", \"-v\"]\nCMD run it");
  EXPECT_THAT(image.env, ElementsAre(Pair("PATH", "/image/bin"), Pair("LANG", "C.UTF-8"), Pair("A", "1")));
  EXPECT_EQ(image.working_dir, "/work");
  EXPECT_EQ(image.user, "me");
  EXPECT_THAT(image.labels, ElementsAre(Pair("a", "z"), Pair("c", "d e")));
  EXPECT_THAT(image.exposed_ports, ElementsAre("80/tcp", "53/udp"));
  EXPECT_THAT(image.volumes, ElementsAre("/data", "/more", "/third"));
  EXPECT_THAT(image.entrypoint, ElementsAre("/bin/x", "-v"));
  EXPECT_THAT(image.cmd, ElementsAre("/bin/sh", "-c", "run it"));
}

TEST(SaveImage, what_the_shell_will_read_has_the_values_from_here_and_its_own_quotes) {
  const auto image = image_of("ARG V=1 2\nENTRYPOINT run $V \"$V\" '$V' \\$V a\\ b $NONE\nCMD [\"$V\"]");
  EXPECT_THAT(image.entrypoint, ElementsAre("/bin/sh", "-c", "run 1 2 \"1 2\" '$V' $V a\\ b "));
  EXPECT_THAT(image.cmd, ElementsAre("$V"));
}

TEST(SaveImage, a_push_needs_a_name) {
  EXPECT_THAT(error_of(in_target("SAVE IMAGE --push")), StartsWith("Earthfile:4:5: SAVE IMAGE --push needs a name"));
}

TEST(SaveImage, healthchecks) {
  const auto check =
      image_of(
          "ARG URL=http://x\nHEALTHCHECK --interval=30s --timeout=1m --start-interval=2s --retries=3 CMD curl -f $URL")
          .healthcheck;
  ASSERT_TRUE(check);
  EXPECT_THAT(check->test, ElementsAre("CMD-SHELL", "curl -f http://x"));
  EXPECT_EQ(check->interval_ns, 30'000'000'000);
  EXPECT_EQ(check->start_interval_ns, 2'000'000'000);
  EXPECT_EQ(check->timeout_ns, 60'000'000'000);
  EXPECT_EQ(check->retries, 3);
  EXPECT_THAT(image_of("HEALTHCHECK NONE").healthcheck->test, ElementsAre("NONE"));
  EXPECT_THAT(error_of(in_target("HEALTHCHECK curl")),
              StartsWith("Earthfile:4:5: HEALTHCHECK is followed by CMD and a command, or by NONE"));
  EXPECT_THAT(error_of(in_target("HEALTHCHECK --interval=soon CMD x")),
              StartsWith("Earthfile:4:17: --interval takes a time, not \"soon\""));
}

TEST(SaveImage, an_entrypoint_drops_the_arguments_of_the_base_image_and_no_others) {
  FakeHost host;
  host.images["debian:bookworm"].cmd = {"bash"};
  const auto cmd_of = [&](const std::string& lines) {
    const File file = parsed(in_target(lines + "\nSAVE IMAGE x"));
    return interpret(file, {"+t", {}}, host)->graph.images.front().config.cmd;
  };
  EXPECT_THAT(cmd_of(""), ElementsAre("bash"));
  EXPECT_THAT(cmd_of("ENTRYPOINT [\"x\"]"), IsEmpty());
  EXPECT_THAT(cmd_of("CMD [\"y\"]\nENTRYPOINT [\"x\"]"), ElementsAre("y"));
}

TEST(SaveImage, what_another_target_said_comes_along_with_from) {
  const auto graph = graph_of(
      "VERSION 0.8\nt:\n    FROM +u\n    SAVE IMAGE a b\nu:\n    FROM debian:bookworm\n    LABEL x=y\n    CMD z\n");
  ASSERT_EQ(graph.images.size(), 2U);
  EXPECT_EQ(graph.images[1].name, "b");
  EXPECT_THAT(graph.images[0].config.labels, ElementsAre(Pair("x", "y")));
  EXPECT_THAT(graph.images[0].config.cmd, ElementsAre("/bin/sh", "-c", "z"));
}

TEST(SaveImage, without_a_name_it_only_says_that_there_is_an_image) {
  EXPECT_THAT(graph_of(in_target("SAVE IMAGE --cache-hint")).images, IsEmpty());
  EXPECT_THAT(error_of(in_target("SAVE IMAGE $NONE")),
              StartsWith("Earthfile:4:16: SAVE IMAGE $NONE: this name is empty"));
}

TEST(SaveImage, what_describes_no_image_is_said) {
  EXPECT_THAT(error_of(in_target("EXPOSE http")), StartsWith("Earthfile:4:12: \"http\" is no port"));
  EXPECT_THAT(error_of(in_target("EXPOSE 70000")), StartsWith("Earthfile:4:12: \"70000\" is no port"));
  EXPECT_THAT(error_of(in_target("LABEL nothing")), StartsWith("Earthfile:4:11: LABEL takes name=value"));
  EXPECT_THAT(error_of(in_target("CMD")), StartsWith("Earthfile:4:5: CMD needs a command"));
}

}  // namespace
}  // namespace ingot::earthfile
