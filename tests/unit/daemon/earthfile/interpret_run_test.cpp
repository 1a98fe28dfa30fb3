#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

graph::ExecOp run_of(std::string_view lines) {
  return steps_of<graph::ExecOp>(graph_of(in_target(lines))).at(0);
}

TEST(Run, the_text_reaches_the_shell_as_it_stands) {
  EXPECT_EQ(run_of("ARG X=1\nRUN echo \"$X  $(ls)\"  '${Y}' # gone").command, "echo \"$X  $(ls)\"  '${Y}'");
  EXPECT_EQ(run_of("RUN a && \\\n    # why\n\n    b").command, "a && b");
  EXPECT_EQ(run_of("RUN [ -f x ] && y").command, "[ -f x ] && y");
}

TEST(Run, flags_end_at_the_first_word_without_dashes_or_behind_two) {
  EXPECT_EQ(run_of("RUN --no-cache make --push").command, "make --push");
  EXPECT_EQ(run_of("RUN -- --odd  name").command, "--odd  name");
  EXPECT_EQ(run_of("ARG N=true\nRUN --no-cache=$N make").no_cache, true);
  EXPECT_EQ(run_of("RUN --no-cache=false --privileged=false make").no_cache, false);
}

TEST(Run, the_exec_form_goes_through_the_shell_in_one_piece_a_word) {
  EXPECT_EQ(run_of("RUN [\"ls\", \"-l\", \"$HOME\", \"*.c\"]").command, "ls -l $HOME *.c");
  EXPECT_EQ(run_of("RUN [\"sh\", \"-c\", \"a > b; echo \\\"c\\\" \\\\\", \"\"]").command,
            "sh -c \"a > b; echo \\\"c\\\" \\\\\" \"\"");
  EXPECT_EQ(run_of("RUN [\"a\", 1]").command, "[\"a\", 1]");
}

TEST(Run, sees_the_image_s_env_and_every_active_variable) {
  EXPECT_THAT(
      run_of("ENV E=e\nARG A=a\nLET L=l\nENV LANG=de\nRUN x").env,
      ElementsAre(Pair("PATH", "/image/bin"), Pair("LANG", "de"), Pair("E", "e"), Pair("A", "a"), Pair("L", "l")));
}

TEST(Run, workdir_is_made_and_joined) {
  const auto graph = graph_of(in_target("ARG D=x\nWORKDIR /work\nWORKDIR $D/y\nRUN a\nWORKDIR ../..\nRUN b"));
  EXPECT_EQ(steps_of<graph::MakeDirectoryOp>(graph)[1].path, "/work/x/y");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[0].working_dir, "/work/x/y");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[1].working_dir, "/work");
}

TEST(Run, the_image_s_own_directory_and_user_hold_until_changed) {
  FakeHost host;
  graph::ImageConfig& app = host.images["app"];
  app.env = {{"A", "1"}};
  app.working_dir = "/srv";
  app.user = "www";
  const File file = parsed("VERSION 0.8\nt:\n    FROM app\n    RUN a\n    USER root:0\n    RUN b\n");
  const auto runs = steps_of<graph::ExecOp>(interpret(file, {"+t", {}}, host)->graph);
  EXPECT_EQ(runs[0].working_dir, "/srv");
  EXPECT_EQ(runs[0].user, "www");
  EXPECT_EQ(runs[1].user, "root:0");
}

TEST(Run, errors) {
  EXPECT_EQ(error_of(in_target("RUN")),
            "Earthfile:4:5: RUN needs a command\n      RUN\n      ^\nhint: such as RUN make install");
  EXPECT_EQ(error_of(in_target("RUN []")),
            "Earthfile:4:5: RUN needs a command\n      RUN []\n      ^\nhint: such as RUN make install");
  EXPECT_EQ(error_of(in_target("RUN --no-cahce x")),
            "Earthfile:4:9: RUN has no flag --no-cahce\n      RUN --no-cahce x\n          ^\n"
            "hint: did you mean \"--no-cache\"?");
  EXPECT_EQ(error_of(in_target("RUN --no-cache=maybe x")),
            "Earthfile:4:9: --no-cache is true or false, not \"maybe\"\n      RUN --no-cache=maybe x\n          ^\n"
            "hint: \"--no-cache\" alone means true");
  EXPECT_EQ(error_of(in_target("RUN --mount")),
            "Earthfile:4:9: --mount needs a value\n      RUN --mount\n          ^\nhint: --mount=...");
  EXPECT_EQ(error_of(in_target("WORKDIR")),
            "Earthfile:4:5: WORKDIR needs a path\n      WORKDIR\n      ^\nhint: such as WORKDIR /src");
  EXPECT_EQ(error_of(in_target("USER a b")),
            "Earthfile:4:5: USER takes one user\n      USER a b\n      ^\nhint: such as USER build or USER 1000:1000");
  for (const char* flag : {"--interactive", "--interactive-keep"}) {
    EXPECT_THAT(error_of(in_target(std::string("RUN ") + flag + " x")), HasSubstr("is refused: "));
  }
  EXPECT_THAT(error_of(in_target("RUN --aws x", "VERSION --run-with-aws 0.8")), HasSubstr("RUN --aws is refused: "));
}

TEST(Run, flags_that_came_later_need_their_version) {
  EXPECT_EQ(error_of(in_target("RUN --network=none x", "VERSION 0.7")),
            "Earthfile:4:9: RUN --network needs VERSION 0.8, or VERSION --no-network\n      RUN --network=none x\n"
            "          ^\nhint: change the first line of the Earthfile");
  EXPECT_EQ(error_of(in_target("RUN --network=none x", "VERSION --no-network 0.6")), "");
  EXPECT_THAT(error_of(in_target("RUN --raw-output x")), HasSubstr("RUN --raw-output needs VERSION --raw-output"));
  EXPECT_THAT(error_of(in_target("RUN --aws x")), HasSubstr("RUN --aws needs VERSION --run-with-aws"));
  EXPECT_EQ(error_of(in_target("RUN --aws=false x")), "") << "what is off needs nothing";
}

TEST(Run, the_entrypoint_stands_before_the_command) {
  const auto runs =
      steps_of<graph::ExecOp>(graph_of(in_target("RUN --entrypoint plain\nENTRYPOINT [\"/bin/x\", \"a b\"]\nCMD "
                                                 "[\"$c\"]\nRUN --entrypoint one \"two\"\nRUN --entrypoint")));
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].command, "plain");
  EXPECT_EQ(runs[1].command, "'/bin/x' 'a b' one \"two\"");
  EXPECT_EQ(runs[2].command, "'/bin/x' 'a b' '$c'");
  EXPECT_THAT(error_of(in_target("RUN --entrypoint")), HasSubstr("has nothing to run"));
}

TEST(Run, before_0_7_only_what_pushes_comes_behind_a_push) {
  for (const char* push : {"RUN --push x", "SAVE IMAGE --push a:1"}) {
    for (const char* next :
         {"RUN y", "COPY f /", "ENV A=1", "BUILD +t", "IF true\nEND", "ARG A", "FROM debian:bookworm"}) {
      const std::string lines = std::string(push) + "\n" + next;
      EXPECT_THAT(error_of(in_target(lines, "VERSION 0.6")), HasSubstr(", and only what pushes may")) << lines;
      EXPECT_THAT(error_of(in_target(lines, "VERSION --wait-block 0.6")), Not(HasSubstr("only what pushes"))) << lines;
    }
    EXPECT_EQ(
        error_of(in_target(std::string(push) + "\nRUN --push y\nSAVE ARTIFACT /z\nSAVE IMAGE b:1", "VERSION 0.6")), "");
  }
}

TEST(Run, a_persistent_cache_is_copied_for_who_stands_on_it) {
  const auto commands_of = [](const std::string& version, const std::string& cache) {
    std::vector<std::string> commands;
    const std::string a = "a:\n    FROM debian:bookworm\n    " + cache + "\n    RUN a\n";
    for (const auto& exec : steps_of<graph::ExecOp>(graph_of(version + "\nt:\n    FROM +a\n    RUN t\n" + a))) {
      commands.push_back(exec.command);
    }
    return commands;
  };
  const char* copying = "mkdir -p '/c' && cp -a /dev/cache-0/. '/c'/";
  EXPECT_THAT(commands_of("VERSION 0.8", "CACHE --persist /c"), ElementsAre("a", copying, "t"));
  EXPECT_THAT(commands_of("VERSION 0.7", "CACHE /c"), ElementsAre("a", copying, "t"));
  EXPECT_THAT(commands_of("VERSION 0.8", "CACHE /c"), ElementsAre("a", "t"));
}

TEST(Run, privileged_and_hosts) {
  EXPECT_TRUE(run_of("RUN --privileged mount").privileged);
  EXPECT_FALSE(run_of("RUN mount").privileged);
  const auto hosts = run_of("HOST mirror 10.0.0.7\nARG A=fd00::7\nHOST other $A\nRUN x").hosts;
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0], std::pair(std::string("mirror"), std::string("10.0.0.7")));
  EXPECT_EQ(hosts[1].second, "fd00::7");
  EXPECT_THAT(error_of(in_target("HOST mirror 10.0.0")), HasSubstr("\"10.0.0\" is no IP address"));
  EXPECT_THAT(error_of(in_target("HOST mirror")), HasSubstr("HOST takes a name and an address"));
  EXPECT_THAT(error_of(in_target("HOST \"a b\" 10.0.0.7")), HasSubstr("is no name of a host"));
  EXPECT_THAT(error_of(in_target("HOST a 10.0.0.7", "VERSION 0.6")), HasSubstr("HOST needs VERSION 0.7"));
}

// What has an effect outside happens when the user says so, and each time.
TEST(Run, push_is_for_those_who_ask) {
  const File file = parsed(in_target("RUN make\nRUN --push upload\nARG EARTHLY_PUSH\nRUN $EARTHLY_PUSH"));
  FakeHost host;
  const auto quiet = interpret(file, {"+t", {}}, host)->graph;
  EXPECT_EQ(steps_of<graph::ExecOp>(quiet).size(), 2U);
  EXPECT_EQ(seen_by_run(quiet, "EARTHLY_PUSH"), "false");
  const auto pushing = interpret(file, {"+t", {}, {}, true}, host)->graph;
  const auto runs = steps_of<graph::ExecOp>(pushing);
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[1].command, "upload");
  EXPECT_TRUE(runs[1].no_cache);
  EXPECT_EQ(seen_by_run(pushing, "EARTHLY_PUSH"), "true");
}

}  // namespace
}  // namespace ingot::earthfile
