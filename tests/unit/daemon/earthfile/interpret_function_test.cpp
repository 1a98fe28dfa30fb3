#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

// DO, IMPORT, and references to Earthfiles of other directories.
namespace ingot::earthfile::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Functions : public ::testing::Test {
 protected:
  Result<Interpretation> interpreted(const std::string& text,
                                     const std::map<std::string, std::string>& overrides = {}) {
    file = parsed(text);
    return interpret(file, {"+t", overrides}, host);
  }
  graph::Graph graph(const std::string& text, const std::map<std::string, std::string>& overrides = {}) {
    auto result = interpreted(text, overrides);
    if (result) return result->graph;
    ADD_FAILURE() << proto::render(result.error());
    return {};
  }
  std::string error(const std::string& text) {
    auto result = interpreted(text);
    return result ? "" : proto::render(result.error());
  }
  FakeHost host;
  File file;
};

constexpr const char* kHead = "VERSION 0.8\nFROM debian:bookworm\nARG --global G=global\n";

TEST_F(Functions, one_works_on_its_callers_files_and_sees_none_of_its_variables) {
  const auto made = graph(std::string(kHead) +
                          "t:\n  ARG X=callers\n  ENV E=1\n  WORKDIR /w\n  DO +F --Y=given\n  RUN after\n"
                          "F:\n  FUNCTION\n  ARG X\n  ARG Y\n  ENV F=2\n  RUN inside\n  WORKDIR sub\n");
  const auto runs = steps_of<graph::ExecOp>(made);
  ASSERT_EQ(runs.size(), 2U);
  const auto value = [](const graph::ExecOp& exec, const std::string& name) -> std::string {
    for (const auto& [key, text] : exec.env) {
      if (key == name) return text;
    }
    return "(unset)";
  };
  EXPECT_EQ(value(runs[0], "X"), "");
  EXPECT_EQ(value(runs[0], "Y"), "given");
  EXPECT_EQ(value(runs[0], "E"), "1");
  EXPECT_EQ(value(runs[0], "G"), "global");
  EXPECT_EQ(runs[0].working_dir, "/w");
  EXPECT_EQ(value(runs[1], "X"), "callers");
  EXPECT_EQ(value(runs[1], "Y"), "(unset)");
  EXPECT_EQ(value(runs[1], "F"), "2");
  EXPECT_EQ(runs[1].working_dir, "/w/sub");
}

TEST_F(Functions, globals_are_those_of_the_users_and_the_calls_arguments) {
  const std::string text = std::string(kHead) + "t:\n  DO +F\n  DO +F --G=calls\nF:\n  FUNCTION\n  RUN $G\n";
  const auto runs = steps_of<graph::ExecOp>(graph(text, {{"G", "users"}}));
  ASSERT_EQ(runs.size(), 2U);
  const auto value = [](const graph::ExecOp& exec) {
    const auto found =
        std::find_if(exec.env.begin(), exec.env.end(), [](const auto& entry) { return entry.first == "G"; });
    return found == exec.env.end() ? "(unset)" : found->second;
  };
  EXPECT_EQ(value(runs[0]), "users");
  EXPECT_EQ(value(runs[1]), "calls");
}

TEST_F(Functions, a_copy_inside_sees_only_the_calls_arguments) {
  const std::string text = std::string(kHead) +
                           "t:\n  DO +F --V=2\nF:\n  FUNCTION\n  COPY +made/out /\n"
                           "made:\n  ARG V=1\n  ARG U=none\n  RUN make $V $U\n  SAVE ARTIFACT out\n";
  EXPECT_EQ(seen_by_run(graph(text, {{"U", "users"}}), "V"), "2");
  EXPECT_EQ(seen_by_run(graph(text, {{"U", "users"}}), "U"), "none");
}

TEST_F(Functions, older_files_say_command) {
  const std::string text = "VERSION 0.7\nt:\n  FROM debian:bookworm\n  DO +F\nF:\n  COMMAND\n  RUN x\n";
  EXPECT_EQ(steps_of<graph::ExecOp>(graph(text)).size(), 1U);
}

TEST_F(Functions, an_error_inside_tells_the_way_there) {
  EXPECT_THAT(error(std::string(kHead) + "t:\n  DO +F\nF:\n  FUNCTION\n  DO +G\nG:\n  FUNCTION\n  SET x=1\n"),
              AllOf(HasSubstr("in G, called at Earthfile:8"), HasSubstr("in F, called at Earthfile:5"),
                    HasSubstr("Earthfile:11:7: SET changes a LET")));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  DO +F\nF:\n  FUNCTION\n  DO +F\n"), HasSubstr("does F call itself?"));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  DO +SETUPP\nSETUP:\n  FUNCTION\n  RUN x\n"),
              HasSubstr("did you mean \"SETUP\"?"));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  DO +u\nu:\n  RUN x\n"),
              HasSubstr("u is a target of Earthfile, no function"));
}

TEST_F(Functions, another_directory_has_its_own_files_globals_and_features) {
  host.files["lib/Earthfile"] =
      "VERSION 0.7\nFROM debian:bookworm\nARG --global L=lib\nmade:\n  COPY file /f\n  RUN make $L\n  SAVE ARTIFACT "
      "/f\n"
      "F:\n  COMMAND\n  COPY mine /m\n  COPY +made/f /\n";
  const auto made = graph(std::string(kHead) + "t:\n  COPY ./lib+made/f /\n", {{"L", "users"}});
  const auto copies = steps_of<graph::CopyOp>(made);
  ASSERT_GE(copies.size(), 1U);
  EXPECT_THAT(copies[0].sources, ElementsAre("lib/file"));
  EXPECT_EQ(seen_by_run(made, "L"), "lib") << "what the user gave is for this Earthfile";
  EXPECT_EQ(seen_by_run(graph(std::string(kHead) + "t:\n  COPY (./lib+made/f --L=given) /\n"), "L"), "given");
  EXPECT_EQ(seen_by_run(graph(std::string(kHead) + "t:\n  BUILD --pass-args ./lib+made\n", {{"L", "users"}}), "L"),
            "users");

  const auto called = steps_of<graph::CopyOp>(graph(std::string(kHead) + "t:\n  DO ./lib+F\n"));
  ASSERT_GE(called.size(), 2U);
  EXPECT_THAT(called[0].sources, ElementsAre("mine")) << "the caller's";
  EXPECT_THAT(called[1].sources, ElementsAre("lib/file")) << "the target's own";
}

TEST_F(Functions, import_gives_a_short_name) {
  host.files["a/lib/Earthfile"] = "VERSION 0.8\nFROM debian:bookworm\nF:\n  FUNCTION\n  RUN x\n";
  EXPECT_EQ(
      steps_of<graph::ExecOp>(graph("VERSION 0.8\nIMPORT ./a/lib\nFROM debian:bookworm\nt:\n  DO lib+F\n")).size(), 1U);
  EXPECT_EQ(steps_of<graph::ExecOp>(graph(std::string(kHead) + "t:\n  IMPORT ./a/lib AS x\n  DO x+F\n")).size(), 1U);
  EXPECT_THAT(error(std::string(kHead) + "t:\n  IMPORT ./a/lib AS x\n  BUILD +u\nu:\n  DO x+F\n"),
              HasSubstr("nothing is imported as \"x\""));
  EXPECT_THAT(error("VERSION 0.8\nIMPORT ./a/lib\nFROM debian:bookworm\nt:\n  DO lob+F\n"),
              HasSubstr("did you mean \"lib\"?"));
}

TEST_F(Functions, what_a_reference_cannot_be_is_said) {
  host.files["broken/Earthfile"] = "VERSION 0.8\nt:\n  FRMO x\n  CPOY y z\n";
  EXPECT_THAT(error(std::string(kHead) + "t:\n  BUILD ./no+t\n"), HasSubstr("the project has no no/Earthfile"));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  BUILD ../other+t\n"),
              HasSubstr("outside of the project that was sent"));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  BUILD /srv/other+t\n"), HasSubstr("is a directory of the host"));
  EXPECT_THAT(error(std::string(kHead) + "t:\n  BUILD ./broken+t\n"),
              AllOf(HasSubstr("broken/Earthfile:3:3"), HasSubstr("broken/Earthfile:4:3")));
}

TEST_F(Functions, saved_files_land_beside_the_earthfile_that_saved_them) {
  host.files["lib/Earthfile"] = "VERSION 0.8\nFROM debian:bookworm\nmade:\n  SAVE ARTIFACT /f AS LOCAL out/f\n";
  const auto made = graph(std::string(kHead) + "t:\n  BUILD ./lib+made\n");
  ASSERT_EQ(made.artifacts.size(), 1U);
  EXPECT_EQ(made.artifacts[0].local_path, "lib/out/f");
}

}  // namespace
}  // namespace ingot::earthfile::testing
