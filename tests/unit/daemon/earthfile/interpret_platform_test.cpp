#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A platform that is this host's never, and one more.
constexpr const char* kForeign = "linux/s390x";

struct Told {
  Result<Interpretation> result;
  std::vector<std::string> asked;
};

Told told(std::string_view text, const std::vector<std::string>& platforms = {}, const std::string& user = {}) {
  FakeHost host;
  host.images["tiny"] = {};
  const File file = parsed(text);
  Request request;
  request.target = "+t";
  for (const auto& platform : platforms) request.platforms.push_back(*base::parse_platform(platform));
  if (!user.empty()) request.builtins["USERPLATFORM"] = user;
  auto result = interpret(file, request, host);
  return {std::move(result), host.asked};
}

graph::Graph built(std::string_view text, const std::vector<std::string>& platforms = {},
                   const std::string& user = {}) {
  auto done = told(text, platforms, user);
  if (done.result) return std::move(done.result->graph);
  ADD_FAILURE() << proto::render(done.result.error());
  return {};
}

// "COMMAND on PLATFORM" of every RUN.
std::vector<std::string> runs_of(const graph::Graph& graph) {
  std::vector<std::string> all;
  for (const auto& run : steps_of<graph::ExecOp>(graph)) all.push_back(run.command + " on " + run.platform);
  return all;
}

std::string refused(std::string_view text, const std::vector<std::string>& platforms = {}) {
  auto done = told(text, platforms);
  return done.result ? "" : proto::render(done.result.error());
}

TEST(Platforms, an_image_and_what_stands_on_it_is_for_the_one_that_FROM_names) {
  const auto graph =
      built("VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n  RUN a\n  FROM tiny\n  RUN b\n  SAVE IMAGE x\n");
  EXPECT_THAT(runs_of(graph), ElementsAre("a on linux/s390x", "b on ")) << "the next FROM is for the host again";
  EXPECT_EQ(graph.images.front().platform, "");
  const auto foreign = built("VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n  RUN a\n  SAVE IMAGE x\n");
  EXPECT_THAT(runs_of(foreign), ElementsAre("a on linux/s390x"));
  EXPECT_EQ(steps_of<graph::ImageOp>(foreign).front().platform, kForeign);
  EXPECT_EQ(foreign.images.front().platform, kForeign);
  EXPECT_EQ(foreign.steps.back().target, "+t (linux/s390x)");
  EXPECT_THAT(told("VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n").asked, ElementsAre("tiny linux/s390x"));
}

TEST(Platforms, steps_of_the_hosts_own_are_what_they_were_without_the_flag) {
  const std::string plain = "VERSION 0.8\nt:\n  FROM tiny\n  RUN a\n  COPY x /\n";
  const std::string named =
      "VERSION 0.8\nt:\n  FROM --platform=" + base::native_platform().text() + " tiny\n  RUN a\n  COPY x /\n";
  const auto one = built(plain);
  const auto other = built(named);
  const auto asked = built(plain, {base::native_platform().text()});
  ASSERT_EQ(one.steps.size(), other.steps.size());
  for (std::size_t i = 0; i < one.steps.size(); ++i) {
    EXPECT_EQ(one.steps[i].operation_digest, other.steps[i].operation_digest);
    EXPECT_EQ(one.steps[i].operation_digest, asked.steps[i].operation_digest);
    EXPECT_EQ(one.steps[i].target, "+t");
  }
  EXPECT_NE(built(plain, {kForeign}).steps[0].operation_digest, one.steps[0].operation_digest);
  EXPECT_NE(built(plain, {kForeign}).steps[1].operation_digest, one.steps[1].operation_digest);
}

TEST(Platforms, what_is_referred_to_is_for_the_one_that_was_asked_for) {
  const std::string text =
      "VERSION 0.8\nt:\n  FROM tiny\n  COPY +tool/f /\n  RUN t\ntool:\n  FROM tiny\n  RUN tool\n  SAVE ARTIFACT f\n";
  EXPECT_THAT(runs_of(built(text)), UnorderedElementsAre("tool on ", "t on "));
  EXPECT_THAT(runs_of(built(text, {kForeign})), UnorderedElementsAre("tool on linux/s390x", "t on linux/s390x"));
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n  COPY +tool/f /\n  RUN t\n"
                            "tool:\n  FROM tiny\n  RUN tool\n  SAVE ARTIFACT f\n")),
              UnorderedElementsAre("tool on ", "t on linux/s390x"))
      << "what FROM names is no wish for what COPY takes from";
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM tiny\n  COPY --platform=linux/s390x +tool/f /\n  RUN t\n"
                            "tool:\n  FROM +base2\n  RUN tool\n  SAVE ARTIFACT f\nbase2:\n  FROM tiny\n  RUN base\n")),
              UnorderedElementsAre("base on linux/s390x", "tool on linux/s390x", "t on "));
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM --platform=linux/s390x +b\n  RUN t\nb:\n  FROM tiny\n  RUN b\n")),
              ElementsAre("b on linux/s390x", "t on linux/s390x"));
  EXPECT_THAT(runs_of(built("VERSION 0.8\nFROM --platform=linux/s390x tiny\nt:\n  RUN t\n")),
              ElementsAre("t on linux/s390x"));
}

TEST(Platforms, from_a_target_its_own_platform_comes_along) {
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM +b\n  ARG TARGETPLATFORM\n  RUN $TARGETPLATFORM\n"
                            "b:\n  FROM --platform=linux/s390x tiny\n")),
              ElementsAre("$TARGETPLATFORM on linux/s390x"));
  EXPECT_EQ(seen_by_run(built("VERSION 0.8\nt:\n  FROM +b\n  ARG TARGETPLATFORM\n  RUN x\n"
                              "b:\n  FROM --platform=linux/s390x tiny\n"),
                        "TARGETPLATFORM"),
            kForeign);
}

TEST(Platforms, BUILD_takes_several) {
  const std::string text =
      "VERSION 0.8\nt:\n  BUILD --platform=linux/s390x --platform linux/riscv64 --platform= --platform=linux/s390x +u "
      "--N=1 "
      "--N=2\nu:\n  FROM tiny\n  ARG N\n  RUN echo $N\n";
  std::map<std::string, int> count;
  for (const auto& run : steps_of<graph::ExecOp>(built(text))) ++count[run.platform];
  EXPECT_EQ(count, (std::map<std::string, int>{{"", 2}, {kForeign, 2}, {"linux/riscv64", 2}}));
}

TEST(Platforms, one_name_for_several_is_no_contradiction) {
  const std::string build =
      "VERSION 0.8\nt:\n  BUILD --platform=linux/s390x --platform=linux/riscv64 +u\nu:\n  FROM tiny\n";
  const auto graph = built(build + "  RUN x\n  SAVE IMAGE edge:1\n");
  ASSERT_EQ(graph.images.size(), 2U);
  EXPECT_EQ(graph.images[0].platform, kForeign);
  EXPECT_EQ(graph.images[1].platform, "linux/riscv64");
  EXPECT_EQ(refused(build + "  RUN x\n  SAVE IMAGE --no-manifest-list edge:1\n"),
            "Earthfile:7:33: two images are called edge:1: the other one is of Earthfile:7\n"
            "    SAVE IMAGE --no-manifest-list edge:1\n                                  ^\n  in +u\n"
            "hint: leave out --no-manifest-list, so that they become one image of several platforms");
  EXPECT_THAT(refused("VERSION 0.8\nt:\n  BUILD --platform=linux/s390x +u --N=1 --N=2\nu:\n  FROM tiny\n  ARG N\n"
                      "  RUN $N\n  SAVE IMAGE edge:1\n"),
              HasSubstr("two images are called edge:1"));
}

TEST(Platforms, builtin_arguments_know_them) {
  const std::string text =
      "VERSION 0.8\nt:\n  FROM --platform=linux/arm/v6 tiny\n  ARG TARGETPLATFORM\n  ARG TARGETOS\n  ARG TARGETARCH\n"
      "  ARG TARGETVARIANT\n  ARG USERPLATFORM\n  ARG USERARCH\n  ARG NATIVEPLATFORM\n  RUN x\n";
  const auto graph = built(text, {}, "linux/riscv64");
  EXPECT_EQ(seen_by_run(graph, "TARGETPLATFORM"), "linux/arm/v6");
  EXPECT_EQ(seen_by_run(graph, "TARGETOS"), "linux");
  EXPECT_EQ(seen_by_run(graph, "TARGETARCH"), "arm");
  EXPECT_EQ(seen_by_run(graph, "TARGETVARIANT"), "v6");
  EXPECT_EQ(seen_by_run(graph, "USERPLATFORM"), "linux/riscv64");
  EXPECT_EQ(seen_by_run(graph, "USERARCH"), "riscv64");
  EXPECT_EQ(seen_by_run(graph, "NATIVEPLATFORM"), base::native_platform().text());
  EXPECT_THAT(told("VERSION 0.8\nt:\n  ARG TARGETARCH\n  FROM debian-$TARGETARCH\n", {kForeign}).asked,
              ElementsAre("debian-s390x linux/s390x"))
      << "before FROM: what is asked for";
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM --platform=user tiny\n  RUN u\n", {}, "linux/riscv64")),
              ElementsAre("u on linux/riscv64"));
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM --platform=native tiny\n  RUN n\n", {kForeign})),
              ElementsAre("n on "));
}

TEST(Platforms, scratch_is_for_none_and_its_images_for_the_targets) {
  const auto graph = built(
      "VERSION 0.8\nt:\n  BUILD --platform=linux/s390x --platform=linux/riscv64 +u\n"
      "u:\n  FROM scratch\n  COPY x /\n  SAVE IMAGE edge:1\n");
  EXPECT_EQ(graph.steps.size(), 2U) << "the same files for both";
  ASSERT_EQ(graph.images.size(), 2U);
  EXPECT_NE(graph.images[0].platform, graph.images[1].platform);
}

TEST(Platforms, functions_and_conditions_work_on_the_callers) {
  EXPECT_THAT(runs_of(built("VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n  DO +F\nF:\n  FUNCTION\n"
                            "  ARG TARGETARCH\n  IF [ \"$TARGETARCH\" = s390x ]\n    RUN there\n  END\n")),
              ElementsAre("there on linux/s390x"));
}

TEST(Platforms, WITH_DOCKER_hands_over_what_the_step_is_for) {
  const auto graph = built(
      "VERSION 0.8\nt:\n  FROM --platform=linux/s390x tiny\n"
      "  WITH DOCKER --pull debian:bookworm --load a:1=+u\n    RUN x\n  END\nu:\n  FROM tiny\n  RUN u\n");
  const auto run = steps_of<graph::ExecOp>(graph).back();
  ASSERT_EQ(run.images.size(), 2U);
  EXPECT_EQ(run.images[0].platform, kForeign);
  EXPECT_EQ(run.images[1].platform, kForeign);
  const auto other = built(
      "VERSION 0.8\nt:\n  FROM tiny\n  WITH DOCKER --platform=linux/s390x --pull debian:bookworm --load "
      "a:1=+u\n    RUN x\n  END\nu:\n  FROM tiny\n  RUN u\n");
  const auto native = steps_of<graph::ExecOp>(other).back();
  EXPECT_EQ(native.platform, "");
  EXPECT_EQ(native.images[0].platform, kForeign);
  EXPECT_EQ(native.images[1].platform, kForeign);
}

TEST(Platforms, a_Dockerfile_builds_on_one_and_for_another) {
  FakeHost host;
  host.images["go"] = {};
  host.images["tools"] = {};
  host.files["Dockerfile"] =
      "FROM --platform=$BUILDPLATFORM go AS build\nARG TARGETARCH\nARG BUILDARCH\nRUN cross $TARGETARCH\n"
      "FROM debian:bookworm AS first\nFROM build AS more\nRUN more\n"
      "FROM first\nCOPY --from=more /out /\nCOPY --from=tools /x /\nRUN finish\n";
  const File file =
      parsed("VERSION 0.8\nt:\n  FROM DOCKERFILE --platform=linux/s390x .\n  ARG TARGETARCH\n  RUN after\n");
  auto done = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(done) << proto::render(done.error());
  EXPECT_THAT(runs_of(done->graph),
              ElementsAre("cross $TARGETARCH on ", "more on ", "finish on linux/s390x", "after on linux/s390x"));
  EXPECT_EQ(seen_by_run(done->graph, "TARGETARCH"), "s390x");
  const auto first = steps_of<graph::ExecOp>(done->graph).front();
  EXPECT_THAT(first.env, ::testing::Contains(std::pair<std::string, std::string>("TARGETARCH", "s390x")));
  EXPECT_THAT(first.env, ::testing::Contains(
                             std::pair<std::string, std::string>("BUILDARCH", base::native_platform().architecture)));
  EXPECT_THAT(host.asked, ElementsAre("go", "debian:bookworm linux/s390x", "tools linux/s390x"));
  for (const auto& step : done->graph.steps) {
    const bool is_foreign = step.text.find("finish") != std::string::npos || step.text == "RUN after";
    if (!step.text.starts_with("RUN")) continue;
    EXPECT_EQ(step.target, is_foreign ? "+t (linux/s390x)" : "+t") << step.text;
  }
}

TEST(Platforms, before_new_platform_none_may_be_beside_the_one_that_is_given) {
  const std::string text = "VERSION 0.6\nt:\n  FROM --platform=linux/riscv64 tiny\n  RUN x\n";
  EXPECT_THAT(runs_of(built(text)), ElementsAre("x on linux/riscv64")) << "nobody gave one";
  EXPECT_EQ(refused(text, {kForeign}),
            "Earthfile:3:19: +t is built for linux/s390x here, and takes nothing for linux/riscv64\n"
            "    FROM --platform=linux/riscv64 tiny\n                    ^\n"
            "hint: a platform beside the one that is asked for needs VERSION 0.7, or VERSION --new-platform");
  EXPECT_THAT(runs_of(built(text, {"linux/riscv64"})), ElementsAre("x on linux/riscv64"));
  EXPECT_EQ(refused("VERSION --new-platform 0.6\nt:\n  FROM --platform=linux/riscv64 tiny\n  RUN x\n", {kForeign}), "");
  for (const char* line : {"COPY --platform=linux/riscv64 +u/f /", "BUILD --platform=linux/riscv64 +u",
                           "FROM --platform=linux/riscv64 +u", "FROM DOCKERFILE --platform=linux/riscv64 ."}) {
    const std::string command = std::string("\nt:\n  FROM tiny\n  ") + line + "\nu:\n  FROM tiny\n  SAVE ARTIFACT f\n";
    EXPECT_THAT(refused("VERSION 0.6" + command, {kForeign}), HasSubstr("+t is built for linux/s390x here")) << line;
    EXPECT_THAT(refused("VERSION 0.8" + command, {kForeign}), ::testing::Not(HasSubstr("is built for"))) << line;
  }
  EXPECT_EQ(refused("VERSION 0.6\nt:\n  FROM --platform=native tiny\n"), "");
}

TEST(Platforms, what_is_none_is_refused_where_it_stands) {
  EXPECT_EQ(refused("VERSION 0.8\nt:\n  BUILD --platform=linux/amd46 +u\nu:\n  FROM tiny\n"),
            "Earthfile:3:20: \"linux/amd46\" is no platform\n    BUILD --platform=linux/amd46 +u\n"
            "                     ^\nhint: did you mean \"linux/amd64\"?");
  for (const char* line : {"FROM --platform=x/y tiny", "COPY --platform x/y +u/f /", "BUILD --platform=x/y +u",
                           "FROM DOCKERFILE --platform=x/y .", "WITH DOCKER --platform=x/y\n    RUN x\n  END"}) {
    EXPECT_THAT(refused(std::string("VERSION 0.8\nt:\n  FROM tiny\n  ") + line + "\nu:\n  FROM tiny\n"),
                HasSubstr("\"x/y\" is no platform"))
        << line;
  }
  EXPECT_THAT(refused("VERSION 0.8\nt:\n  FROM --platform=windows/amd64 tiny\n"), HasSubstr("Ingot builds for Linux"));
}

TEST(Platforms, the_user_may_ask_for_several) {
  const std::string text = "VERSION 0.8\nt:\n  FROM tiny\n  RUN x\n  SAVE IMAGE a:1\n";
  const auto graph = built(text, {kForeign, base::native_platform().text(), kForeign});
  EXPECT_THAT(runs_of(graph), UnorderedElementsAre("x on linux/s390x", "x on "));
  EXPECT_EQ(graph.images.size(), 2U);
}

}  // namespace
}  // namespace ingot::earthfile::testing
