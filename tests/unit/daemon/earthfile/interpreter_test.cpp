#include "daemon/earthfile/interpreter.h"

#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> texts(const graph::Graph& graph) {
  std::vector<std::string> all;
  for (const auto& step : graph.steps) all.push_back(step.target + " " + step.text);
  return all;
}

TEST(Interpreter, a_straight_line_becomes_a_chain_of_steps) {
  const auto graph = graph_of(in_target("WORKDIR /work\nCOPY a b/\nRUN make\nSAVE ARTIFACT out AS LOCAL build/out"));
  EXPECT_THAT(texts(graph), ElementsAre("+t FROM debian:bookworm", "+t WORKDIR /work", "+t COPY a b/", "+t RUN make"));
  EXPECT_FALSE(graph.steps[0].parent);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(graph.steps[i].parent, i - 1);
  EXPECT_EQ(graph.steps[3].position.line, 6);
  EXPECT_EQ(graph.steps[3].position.source_line, "    RUN make");
  ASSERT_EQ(graph.artifacts.size(), 1U);
  EXPECT_EQ(graph.artifacts[0].from, 3U);
}

TEST(Interpreter, every_target_starts_from_the_base_recipe) {
  const auto graph = graph_of(
      "VERSION 0.8\nFROM debian:bookworm\nARG --global G=g\nARG own=o\nLET l=l\nENV E=e\nWORKDIR /w\nUSER u\n"
      "t:\n    RUN x\n");
  EXPECT_THAT(texts(graph), ElementsAre("+base FROM debian:bookworm", "+base WORKDIR /w", "+t RUN x"));
  EXPECT_EQ(seen_by_run(graph, "G"), "g");
  EXPECT_EQ(seen_by_run(graph, "E"), "e");
  EXPECT_EQ(seen_by_run(graph, "own"), "(unset)");
  EXPECT_EQ(seen_by_run(graph, "l"), "(unset)");
  EXPECT_EQ(seen_by_run(graph, "PATH"), "/image/bin");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[0].working_dir, "/w");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[0].user, "u");
}

TEST(Interpreter, base_steps_that_the_target_does_not_stand_on_are_not_built) {
  EXPECT_THAT(texts(graph_of("VERSION 0.8\nFROM debian:bookworm\nRUN base\nt:\n    FROM scratch\n    COPY a /a\n")),
              ElementsAre("+t FROM scratch", "+t COPY a /a"));
}

TEST(Interpreter, all_steps_of_the_requested_target_are_built) {
  EXPECT_THAT(texts(graph_of(in_target("RUN first\nFROM scratch\nCOPY a /a"))),
              ElementsAre("+t FROM debian:bookworm", "+t RUN first", "+t FROM scratch", "+t COPY a /a"));
}

TEST(Interpreter, from_a_target_takes_its_files_env_workdir_and_user_but_no_args) {
  const auto graph = graph_of(
      "VERSION 0.8\nt:\n    ARG own=t\n    FROM +u\n    RUN x\nu:\n    FROM debian:bookworm\n    ARG A=a\n    LET L=l\n"
      "    ENV E=e\n    WORKDIR /u\n    USER u\n    RUN u\n    SAVE ARTIFACT out AS LOCAL x\n");
  EXPECT_THAT(texts(graph), ElementsAre("+u FROM debian:bookworm", "+u WORKDIR /u", "+u RUN u", "+t RUN x"));
  EXPECT_EQ(seen_by_run(graph, "E"), "e");
  EXPECT_EQ(seen_by_run(graph, "A"), "(unset)");
  EXPECT_EQ(seen_by_run(graph, "L"), "(unset)");
  EXPECT_EQ(seen_by_run(graph, "own"), "t");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[1].working_dir, "/u");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[1].user, "u");
  EXPECT_TRUE(graph.artifacts.empty());
}

TEST(Interpreter, from_base_goes_back_to_it) {
  EXPECT_THAT(
      texts(graph_of("VERSION 0.8\nFROM debian:bookworm\nRUN b\nt:\n    FROM scratch\n    FROM +base\n    RUN t\n")),
      ElementsAre("+base FROM debian:bookworm", "+base RUN b", "+t FROM scratch", "+t RUN t"));
}

TEST(Interpreter, a_target_that_only_starts_from_another_is_that_one) {
  EXPECT_THAT(texts(graph_of("VERSION 0.8\nt:\n    FROM +u\nu:\n    FROM debian:bookworm\n    RUN u\n")),
              ElementsAre("+u FROM debian:bookworm", "+u RUN u"));
}

TEST(Interpreter, base_itself_can_be_built) {
  const auto graph = graph_of("VERSION 0.8\nFROM debian:bookworm\nRUN b\nSAVE ARTIFACT /x\nt:\n", "+base");
  EXPECT_THAT(texts(graph), ElementsAre("+base FROM debian:bookworm", "+base RUN b"));
  EXPECT_EQ(graph.artifacts.size(), 1U);
}

TEST(Interpreter, overrides_flow_through_references_and_explicit_ones_win) {
  const std::string text =
      "VERSION 0.8\nt:\n    ARG N=t\n    FROM +u --A=x$N --N\n    RUN t\nu:\n    FROM +v\nv:\n    FROM "
      "debian:bookworm\n"
      "    ARG A=default\n    ARG B=default\n    ARG N=v\n    RUN $A $B\n    ENV OUT=\"$A $B $N\"\n";
  EXPECT_EQ(seen_by_run(graph_of(text, "+t", {{"A", "given"}, {"B", "given"}}), "OUT"), "xt given t");
  EXPECT_EQ(seen_by_run(graph_of(text, "+u", {{"A", "given"}}), "A"), "given");
}

TEST(Interpreter, build_arg_is_the_older_form_of_an_override) {
  EXPECT_EQ(seen_by_run(graph_of("VERSION 0.8\nt:\n    FROM --build-arg A=1 --build-arg B=2 +u\n    RUN x\n"
                                 "u:\n    FROM debian:bookworm\n    ARG A\n    ARG B\n    ENV E=$A$B\n"),
                        "E"),
            "12");
}

TEST(Interpreter, the_base_recipe_is_interpreted_again_for_other_overrides) {
  const std::string text =
      "VERSION 0.8\nARG --global IMAGE=debian:bookworm\nFROM $IMAGE\nt:\n    RUN t\n    FROM +u --IMAGE=scratch\n"
      "u:\n    COPY a /\n";
  EXPECT_THAT(texts(graph_of(text)), ElementsAre("+base FROM $IMAGE", "+t RUN t", "+base FROM $IMAGE", "+u COPY a /"));
}

TEST(Interpreter, equal_work_is_one_step) {
  const std::string text =
      "VERSION 0.8\nFROM debian:bookworm\nRUN base\nt:\n    FROM +u --X=1\n    RUN a\n    FROM +u --X=2\n    RUN b\n"
      "u:\n    RUN u\n";
  EXPECT_THAT(texts(graph_of(text)),
              ElementsAre("+base FROM debian:bookworm", "+base RUN base", "+u RUN u", "+t RUN a", "+t RUN b"));
}

TEST(Interpreter, a_run_without_cache_is_never_merged) {
  const auto graph = graph_of(in_target("RUN --no-cache date\nFROM debian:bookworm\nRUN --no-cache date"));
  EXPECT_EQ(steps_of<graph::ExecOp>(graph).size(), 2U);
  EXPECT_TRUE(steps_of<graph::ExecOp>(graph)[0].no_cache);
}

TEST(Interpreter, a_target_that_is_to_run_anew_is_merged_with_itself_alone) {
  const std::string text =
      "VERSION 0.8\nFROM debian:bookworm\nRUN base\nt:\n    BUILD +u\n    BUILD +v\n    COPY +u/x /\n"
      "u:\n    RUN same\n    SAVE ARTIFACT /x\nv:\n    RUN same\n";
  FakeHost host;
  const File file = parsed(text);
  auto anew = interpret(file, {"+t", {}, {"+u"}}, host);
  ASSERT_TRUE(anew);
  std::vector<std::string> runs;
  for (const auto& step : anew->graph.steps) {
    if (std::holds_alternative<graph::ExecOp>(step.operation)) {
      runs.push_back(step.target + (step.anew ? " anew" : ""));
    }
  }
  EXPECT_THAT(runs, ElementsAre("+base", "+u anew", "+v"));
  EXPECT_THAT(anew->warnings, ElementsAre());
  EXPECT_EQ(steps_of<graph::ExecOp>(graph_of(text)).size(), 2U) << "else they are one";
}

TEST(Interpreter, of_targets_to_run_anew_those_that_are_not_there_or_not_needed_are_told) {
  FakeHost host;
  const File file = parsed("VERSION 0.8\nFROM debian:bookworm\nt:\n    RUN x\nother:\n    RUN y\n");
  auto wrong = interpret(file, {"+t", {}, {"+othr"}}, host);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(proto::render(wrong.error()),
            "Earthfile has no target \"+othr\"\n  in --no-cache=+othr\n"
            "hint: did you mean \"other\"? its targets are +t, +other");
  auto idle = interpret(file, {"+t", {}, {"+other", "+base"}}, host);
  ASSERT_TRUE(idle);
  EXPECT_THAT(idle->warnings, ElementsAre("--no-cache=+other has no effect: +t does not need that target"));
}

TEST(Interpreter, a_target_without_from_starts_empty) {
  EXPECT_THAT(texts(graph_of("VERSION 0.8\nt:\n    COPY a /a\n    SAVE ARTIFACT /a\n")),
              ElementsAre("+t FROM scratch", "+t COPY a /a"));
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    RUN x\n"),
            "Earthfile:3:5: RUN comes before any FROM\n      RUN x\n      ^\n"
            "hint: say what to start from, such as FROM debian:bookworm");
  EXPECT_EQ(error_of("VERSION 0.8\nWORKDIR /x\nt:\n"),
            "Earthfile:2:1: WORKDIR comes before any FROM\n  WORKDIR /x\n  ^\n  in +base\n"
            "hint: say what to start from, such as FROM debian:bookworm");
}

TEST(Interpreter, a_target_that_is_not_there) {
  EXPECT_EQ(error_of("VERSION 0.8\nbuild:\ntest:\n", "+biuld"),
            "Earthfile has no target \"+biuld\"\nhint: did you mean \"build\"? its targets are +build, +test");
  EXPECT_EQ(error_of("VERSION 0.8\nbuild:\n", "+zzz"),
            "Earthfile has no target \"+zzz\"\nhint: its targets are +build");
  EXPECT_EQ(error_of("VERSION 0.8\n", "+t"),
            "Earthfile has no target \"+t\"\nhint: it has no targets at all; one is a line such as build: with "
            "indented commands below it");
  EXPECT_EQ(error_of("VERSION 0.8\ntest:\n    FROM +u\n", "+test"),
            "Earthfile:3:10: Earthfile has no target \"+u\"\n      FROM +u\n           ^\nhint: its targets are +test");
  EXPECT_EQ(error_of("VERSION 0.8\nF:\n    FUNCTION\n", "+F"),
            "F is a function of Earthfile, no target\nhint: functions are called by DO");
  EXPECT_EQ(interpreted("VERSION 0.8\n").error().kind, ErrorKind::not_found);
}

TEST(Interpreter, a_circle_is_told) {
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM +u\nu:\n    FROM +t\n"),
            "Earthfile:5:10: +t stands on itself: +t -> +u -> +t\n      FROM +t\n           ^\n  in +u\n"
            "hint: break the circle: one of these targets must not need the next");
  EXPECT_THAT(error_of("VERSION 0.8\nFROM +t\nt:\n"),
              StartsWith("Earthfile:2:6: +t stands on itself: +t -> +base -> +t\n"));
}

TEST(Interpreter, an_error_in_another_target_says_the_way_there) {
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM +u\nu:\n    FROM +v\nv:\n    FROM nothing\n"),
            "Earthfile:7:10: there is no image nothing\n      FROM nothing\n           ^\n  in +v\n  in +u\n"
            "hint: name another");
}

TEST(Interpreter, from_itself) {
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM\n"),
            "Earthfile:3:5: FROM needs an image or a target\n      FROM\n      ^\n"
            "hint: such as FROM debian:bookworm or FROM +build");
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM $NONE\n"),
            "Earthfile:3:10: FROM $NONE: this is empty here\n      FROM $NONE\n           ^\n"
            "hint: nothing here is called NONE; declare it above, by ARG NONE=...");
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM debian AS x\n"),
            "Earthfile:3:17: FROM takes one image\n      FROM debian AS x\n                  ^\n"
            "hint: leave out AS: the target's own name is its name");
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM ./x+y\n"),
            "Earthfile:3:10: the project has no x/Earthfile\n      FROM ./x+y\n           ^\n"
            "hint: a reference to another directory is ./directory+target, seen from this Earthfile");
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    ARG TARGETPLATFORM\n    FROM --platform=$TARGETPLATFORM debian:bookworm\n"),
            "");
  EXPECT_EQ(
      error_of("VERSION 0.8\nt:\n    FROM +u x\nu:\n"),
      "Earthfile:3:13: behind a target stand only arguments of the form --NAME=value, not \"x\"\n      FROM +u x\n"
      "              ^\nhint: such as --VERSION=1.2");
  EXPECT_EQ(error_of("VERSION 0.8\nt:\n    FROM +u --X\nu:\n"),
            "Earthfile:3:13: --X has no value here to pass on\n      FROM +u --X\n              ^\nhint: --X=value");
}

TEST(Interpreter, commands_of_dockerfiles_are_refused_as_such) {
  EXPECT_EQ(error_of(in_target("ADD a b")),
            "Earthfile:4:5: ADD is no command of Earthfiles\n      ADD a b\n      ^\n"
            "hint: COPY takes files of the project; a RUN can fetch and unpack others");
  EXPECT_EQ(error_kind_of(in_target("SHELL [\"x\"]")), ErrorKind::syntax);
}

TEST(Interpreter, commands_of_a_later_version_say_which) {
  EXPECT_EQ(error_of(in_target("LET x=1", "VERSION 0.7")),
            "Earthfile:4:5: LET needs VERSION 0.8, or VERSION --arg-scope-and-set\n      LET x=1\n      ^\n"
            "hint: change the first line of the Earthfile");
  EXPECT_THAT(error_of(in_target("TRY\nEND")), HasSubstr("TRY needs VERSION --try\n"));
}

TEST(Interpreter, an_unsupported_command_elsewhere_does_no_harm) {
  EXPECT_EQ(error_of(in_target("RUN x") + "u:\n    IF a\n    END\nF:\n    FUNCTION\n    DO +G\n"), "");
}

TEST(Interpreter, what_only_describes_an_image_is_accepted) {
  EXPECT_EQ(
      error_of("VERSION 0.8\nPROJECT a/b\nt:\n    FROM scratch\n    LABEL a=b\n    ENTRYPOINT [\"x\"]\n    CMD y\n"
               "    EXPOSE 80\n    VOLUME /v\n    HEALTHCHECK NONE\n"),
      "");
}

TEST(Interpreter, overrides_that_nobody_declares_are_warned_of) {
  auto warnings = [](const std::map<std::string, std::string>& overrides) {
    return interpreted(
               "VERSION 0.8\nt:\n    ARG K8S_VERSION\nu:\n    ARG --required OTHER=x\n    IF a\n    ARG IN_IF\n    "
               "END\n",
               "+t", overrides)
        ->warnings;
  };
  EXPECT_THAT(warnings({{"K8s_VERSION", "1"}}),
              ElementsAre("no ARG of Earthfile is called K8s_VERSION\nhint: did you mean \"K8S_VERSION\"?"));
  EXPECT_THAT(warnings({{"OTHE", "1"}}),
              ElementsAre("no ARG of Earthfile is called OTHE\nhint: did you mean \"OTHER\"?"));
  EXPECT_THAT(warnings({{"ZZZZZZ", "1"}}), ElementsAre("no ARG of Earthfile is called ZZZZZZ"));
  EXPECT_THAT(warnings({{"TARGETARCH", "x"}}),
              ElementsAre("the value given for TARGETARCH has no effect\nhint: Ingot itself knows its value"));
  EXPECT_THAT(warnings({{"K8S_VERSION", "1"}, {"OTHER", "x"}, {"IN_IF", "y"}}), ElementsAre());
}

}  // namespace
}  // namespace ingot::earthfile
