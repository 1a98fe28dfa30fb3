#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

// WITH DOCKER.
namespace ingot::earthfile::testing {
namespace {

using ::testing::HasSubstr;

std::string file(const std::string& lines) {
  return in_target(lines) + "inner:\n    FROM debian:bookworm\n    ARG A=1\n    ENV B=$A\n    SAVE IMAGE inner:$A\n" +
         "plain:\n    FROM debian:bookworm\n";
}

std::vector<graph::StepImage> images_of(const std::string& lines) {
  const auto graph = graph_of(file(lines));
  const auto runs = steps_of<graph::ExecOp>(graph);
  return runs.empty() ? std::vector<graph::StepImage>() : runs.back().images;
}

TEST(WithDocker, its_run_has_the_images_and_an_engine) {
  const auto graph = graph_of(file("WITH DOCKER --pull debian:bookworm\n  RUN docker ps\nEND\nRUN plain"));
  const auto runs = steps_of<graph::ExecOp>(graph);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_TRUE(runs[0].privileged);
  EXPECT_THAT(runs[0].command, HasSubstr("/bin/sh -c 'docker ps'"));
  ASSERT_EQ(runs[0].images.size(), 1U);
  EXPECT_EQ(runs[0].images[0].name, "debian:bookworm");
  EXPECT_EQ(runs[0].images[0].target, "/run/ingot-images/1");
  EXPECT_EQ(runs[1].command, "plain") << "what comes after it is as ever";
  EXPECT_FALSE(runs[1].privileged);
}

TEST(WithDocker, targets_are_loaded_under_their_own_name_or_another) {
  for (const char* flags : {"--load +inner", "--load=+inner"}) {
    const auto images = images_of(std::string("WITH DOCKER ") + flags + "\n  RUN x\nEND");
    ASSERT_EQ(images.size(), 1U) << flags;
    EXPECT_EQ(images[0].name, "inner:1");
  }
  const auto images = images_of(
      "ARG V=7\nWITH DOCKER --load o:$V=(+inner --A=$V) --load p=+plain --load (+inner --A=2) --load=q=(+inner "
      "--A=3)\n  RUN x\nEND");
  ASSERT_EQ(images.size(), 4U);
  EXPECT_EQ(images[0].name, "o:7");
  EXPECT_THAT(images[0].config.env, ::testing::Contains(std::pair<std::string, std::string>("B", "7")));
  EXPECT_EQ(images[1].name, "p");
  EXPECT_EQ(images[2].name, "inner:2");
  EXPECT_EQ(images[3].name, "q");
}

TEST(WithDocker, mistakes_are_told_with_their_cure) {
  const auto refused = [](const std::string& lines) { return error_of(file(lines)); };
  EXPECT_THAT(refused("WITH DOCKER\n  RUN a\n  RUN b\nEND"), HasSubstr("Earthfile:6:7: WITH DOCKER takes one RUN"));
  EXPECT_THAT(refused("WITH DOCKER\n  COPY a b\nEND"), HasSubstr("Earthfile:5:7: WITH DOCKER takes one RUN"));
  EXPECT_THAT(refused("WITH DOCKER\nEND"), HasSubstr("Earthfile:4:5: WITH DOCKER takes one RUN"));
  EXPECT_THAT(refused("WITH DOCKER image\n  RUN a\nEND"), HasSubstr("WITH DOCKER takes flags only"));
  EXPECT_THAT(refused("WITH DOCKER --load image\n  RUN a\nEND"), HasSubstr("--load takes a target"));
  EXPECT_THAT(refused("WITH DOCKER --load +plain\n  RUN a\nEND"), HasSubstr("gives its image no name"));
  EXPECT_THAT(refused("WITH DOCKER --load n=(+inner\n  RUN a\nEND"), HasSubstr("this parenthesis is not closed"));
  EXPECT_THAT(refused("WITH DOCKER --load +none\n  RUN a\nEND"), HasSubstr("has no target \"+none\""));
  EXPECT_THAT(refused("WITH DOCKER --pull none\n  RUN a\nEND"), HasSubstr("there is no image none"));
  EXPECT_THAT(refused("WITH DOCKER --pull $NONE\n  RUN a\nEND"), HasSubstr("--pull has no image here"));
  EXPECT_THAT(refused("WITH DOCKER --laod +inner\n  RUN a\nEND"), HasSubstr("did you mean \"--load\""));
  EXPECT_THAT(error_of("VERSION 0.8\nt:\n    WITH DOCKER\n        RUN a\n    END\n"), HasSubstr("before any FROM"));
}

TEST(WithDocker, what_an_image_is_decides_on_what_the_step_is) {
  const auto id = [](const std::string& argument) {
    const auto graph = graph_of(file("WITH DOCKER --load i=(+inner --A=" + argument +
                                     ")\n  RUN x\nEND\nWITH DOCKER --load "
                                     "i=(+inner --A=1)\n  RUN x\nEND"));
    return steps_of<graph::ExecOp>(graph).size();
  };
  EXPECT_EQ(id("2"), 2U);
}

TEST(WithDocker, under_locally_has_the_engine_of_who_builds) {
  FakeHost host;
  Request request{"+t", {}};
  request.locally = Request::Locally::allowed;
  const auto plan = interpret(parsed("VERSION 0.8\nt:\n    LOCALLY\n"
                                     "    WITH DOCKER --load o:7=(+inner --A=7) --pull \"other's\" --cache-id x\n"
                                     "        RUN docker run o:7; exit 3\n"
                                     "    END\n"
                                     "inner:\n    FROM debian:bookworm\n    ARG A=1\n    ENV B=$A\n"),
                              request, host);
  ASSERT_TRUE(plan) << proto::render(plan.error());
  const auto runs = steps_of<graph::ExecOp>(plan->graph);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_TRUE(runs[0].local);
  EXPECT_FALSE(runs[0].privileged);
  EXPECT_TRUE(runs[0].mounts.empty());
  ASSERT_EQ(runs[0].images.size(), 1U) << "what is pulled its engine fetches";
  EXPECT_EQ(runs[0].images[0].name, "o:7");
  EXPECT_THAT(runs[0].command, HasSubstr("'pull' '-q' 'other'\\''s'"));
  EXPECT_THAT(runs[0].command, HasSubstr("/bin/sh -c 'docker run o:7; exit 3'\nexit $?\n"));
}

}  // namespace
}  // namespace ingot::earthfile::testing
