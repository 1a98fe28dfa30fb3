#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/test_daemon.h"

// The client through a link called earthly.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Earthly : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace();
    fs::create_directories(links / "bin");
    fs::create_symlink(fs::canonical(binary("ingot")), links / "bin/earthly");
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
    daemon->stop();
  }

  // In the project directory, with no program on PATH that loads images but what a test puts there.
  RunResult earthly(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), links / "bin/earthly");
    environment.try_emplace("INGOT_SOCKET", daemon->socket().string());
    environment.try_emplace("XDG_CACHE_HOME", (links / "cache").string());
    environment.try_emplace("PATH", (links / "bin").string());
    return run_program(std::move(arguments), daemon->project(), environment);
  }
  // A recipe of one target, which saves `out`.
  void hello() {
    daemon->project_file("Earthfile", R"E(VERSION 0.8
# hello greets.
hello:
    FROM tiny
    # NAME is who is greeted.
    ARG NAME=nobody
    RUN echo "hello $NAME" > /out.txt && cat /out.txt
    RUN mkdir -p /d/sub && echo deep > /d/sub/x
    SAVE ARTIFACT /out.txt AS LOCAL build/out.txt
    SAVE ARTIFACT /d
)E");
  }

  std::optional<TestDaemon> daemon;
  TempDirectory links;
};

TEST_F(Earthly, builds_a_target_and_writes_what_is_as_local) {
  hello();
  const auto built = earthly({"+hello", "--NAME=you"});
  EXPECT_EQ(built.code, 0) << built.err;
  EXPECT_EQ(built.out, "") << "the log does not get among what commands print";
  EXPECT_THAT(built.err, HasSubstr("              +hello | --> RUN echo \"hello $NAME\""));
  EXPECT_THAT(built.err, HasSubstr("              +hello | hello you\n"));
  EXPECT_THAT(built.err, HasSubstr("Artifact +hello/out.txt output as build/out.txt"));
  EXPECT_THAT(built.err, HasSubstr("= SUCCESS ="));
  EXPECT_EQ(slurp(daemon->project() / "build/out.txt"), "hello you\n");
  EXPECT_THAT(earthly({"+hello", "--NAME=you"}).err, HasSubstr("              +hello | *cached* --> RUN echo"));
  EXPECT_THAT(earthly({"--no-cache", "+hello", "--NAME=you"}).err, Not(HasSubstr("*cached* --> RUN")));
}

TEST_F(Earthly, ci_writes_nothing_unless_output_is_asked_for) {
  hello();
  ASSERT_EQ(earthly({"--ci", "+hello"}).code, 0);
  ASSERT_EQ(earthly({"--no-output", "+hello"}).code, 0);
  ASSERT_EQ(earthly({"+hello"}, {{"EARTHLY_CI", "true"}}).code, 0);
  EXPECT_FALSE(fs::exists(daemon->project() / "build"));
  ASSERT_EQ(earthly({"--ci", "--output", "+hello"}).code, 0);
  EXPECT_TRUE(fs::exists(daemon->project() / "build/out.txt"));
}

TEST_F(Earthly, arguments_come_from_the_command_line_then_the_environment_then_dotenv) {
  hello();
  const auto greeted = [&](const std::vector<std::string>& arguments, const std::map<std::string, std::string>& more) {
    const auto built = earthly(arguments, more);
    EXPECT_EQ(built.code, 0) << built.err;
    return slurp(daemon->project() / "build/out.txt");
  };
  daemon->project_file(".arg", "NAME=arg\n");
  EXPECT_EQ(greeted({"+hello"}, {}), "hello arg\n");
  daemon->project_file(".env", "EARTHLY_BUILD_ARGS=NAME=env\nNAME=never\n");
  EXPECT_EQ(greeted({"+hello"}, {}), "hello env\n");
  EXPECT_EQ(greeted({"+hello"}, {{"EARTHLY_BUILD_ARGS", "NAME=environment"}}), "hello environment\n");
  EXPECT_EQ(greeted({"+hello", "--NAME=line"}, {{"EARTHLY_BUILD_ARGS", "NAME=environment"}}), "hello line\n");
}

TEST_F(Earthly, one_artifact_goes_where_it_is_wanted) {
  hello();
  ASSERT_EQ(earthly({"--artifact", "+hello/out.txt", "to/file"}).code, 0);
  EXPECT_EQ(slurp(daemon->project() / "to/file"), "hello nobody\n");
  ASSERT_EQ(earthly({"-a", "(+hello/out.txt --NAME=x)", "to/"}).code, 0);
  EXPECT_EQ(slurp(daemon->project() / "to/out.txt"), "hello x\n");
  ASSERT_EQ(earthly({"--ci", "--artifact", "+hello/d/sub/x", "deep"}).code, 0) << "a part of a directory";
  EXPECT_EQ(slurp(daemon->project() / "deep"), "deep\n");
  ASSERT_EQ(earthly({"--artifact", "+hello/*", "all"}).code, 0);
  EXPECT_EQ(slurp(daemon->project() / "all/d/sub/x"), "deep\n");
  EXPECT_TRUE(fs::exists(daemon->project() / "all/out.txt"));
  EXPECT_FALSE(fs::exists(daemon->project() / "build")) << "AS LOCAL is of the target form alone";
  const auto missing = earthly({"--artifact", "+hello/out.tx"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("did you mean \"out.txt\"?"));
  EXPECT_EQ(earthly({"--artifact", "+hello/d/nothing"}).code, 1);
  for (const auto& entry : fs::directory_iterator(daemon->project())) {
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".ingot")));
  }
}

TEST_F(Earthly, an_image_is_loaded_into_docker) {
  daemon->project_file("Earthfile", "VERSION 0.8\ni:\n    FROM tiny\n    SAVE IMAGE edge:1\nn:\n    FROM tiny\n");
  EXPECT_THAT(earthly({"--image", "+i"}).err, HasSubstr("install one of them"));
  links.file("bin/docker", "#!/bin/sh\nexec /bin/cat > " + (links / "loaded").string() + "\n");
  fs::permissions(links / "bin/docker", static_cast<fs::perms>(0755));
  const auto built = earthly({"--image", "+i"});
  EXPECT_EQ(built.code, 0) << built.err;
  EXPECT_THAT(built.err, HasSubstr("Image +i output as edge:1"));
  EXPECT_THAT(slurp(links / "loaded"), HasSubstr("manifest.json"));
  EXPECT_THAT(earthly({"--image", "+n"}).err, HasSubstr("+n saves no image"));
}

TEST_F(Earthly, a_step_that_fails_ends_with_1_and_is_told_once_more) {
  daemon->project_file("Earthfile", "VERSION 0.8\nbad:\n    FROM tiny\n    RUN echo why; exit 7\n");
  const auto built = earthly({"+bad"});
  EXPECT_EQ(built.code, 1);
  EXPECT_THAT(built.err, HasSubstr("                +bad | ERROR Earthfile:4:5\n"));
  EXPECT_THAT(built.err, HasSubstr("                +bad |       ended with exit code 7\n"));
  EXPECT_THAT(built.err, HasSubstr("                +bad *failed* | why\n"));
  EXPECT_THAT(built.err, Not(HasSubstr("SUCCESS")));
  EXPECT_EQ(earthly({"+nothing"}).code, 1) << "every failure is 1, as there";
  EXPECT_EQ(earthly({"--wrong", "+bad"}).code, 1);
}

TEST_F(Earthly, a_target_of_another_directory_writes_beside_its_own_earthfile) {
  hello();
  fs::create_directories(daemon->project() / "sub");
  fs::rename(daemon->project() / "Earthfile", daemon->project() / "sub/Earthfile");
  daemon->project_file(".arg", "NAME=caller\n");
  daemon->project_file("sub/.arg", "NAME=callee\n");
  const auto built = earthly({"./sub+hello"});
  EXPECT_EQ(built.code, 0) << built.err;
  EXPECT_EQ(slurp(daemon->project() / "sub/build/out.txt"), "hello caller\n");
}

TEST_F(Earthly, secrets_of_the_command_line_and_the_environment) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\ns:\n    FROM tiny\n    RUN --secret A --secret B test \"$A-$B\" = first-second\n");
  EXPECT_EQ(earthly({"-s", "A=first", "--secret", "B", "+s"}, {{"B", "second"}}).code, 0);
  EXPECT_EQ(earthly({"+s"}, {{"EARTHLY_SECRETS", "A=first,B=second"}}).code, 0);
  EXPECT_EQ(earthly({"--no-cache", "+s"}, {{"EARTHLY_SECRETS", "A=first,B=second"}}).code, 0);
  EXPECT_EQ(earthly({"--no-cache", "+s"}, {{"EARTHLY_SECRETS", "A=first,B=other"}}).code, 1);
}

TEST_F(Earthly, an_interrupt_cancels_the_build_and_ends_with_130) {
  daemon->project_file("Earthfile", "VERSION 0.8\nslow:\n    FROM tiny\n    RUN echo begun; sleep 600\n");
  const std::string log = links / "log";
  const std::string command = "{ " + (links / "bin/earthly").string() + " +slow 2>" + log +
                              " & } ; child=$!; for i in $(seq 300); do grep -q '| begun' " + log +
                              " && break; sleep 0.1; done; kill -INT $child; wait $child";
  const auto built = run_program({"/bin/bash", "-mc", command}, daemon->project(),
                                 {{"INGOT_SOCKET", daemon->socket()}, {"XDG_CACHE_HOME", links / "cache"}});
  EXPECT_EQ(built.code, 130) << slurp(log);
  EXPECT_THAT(daemon->ingot({"ps", "--all"}).out, HasSubstr("canceled"));
}

TEST_F(Earthly, the_other_commands) {
  hello();
  EXPECT_EQ(earthly({"ls"}).out, "+base\n+hello\n");
  EXPECT_EQ(earthly({"ls", "--args"}).out, "+base\n+hello\n  --NAME\n");
  EXPECT_EQ(earthly({"doc"}).out, "TARGETS:\n  +hello [--NAME=nobody]\n      hello greets.\n");
  EXPECT_THAT(earthly({"doc", "+hello"}).out,
              HasSubstr("  OPTIONAL ARGS:\n    --NAME=nobody\n      NAME is who is greeted.\n"));
  EXPECT_THAT(earthly({"debug", "ast"}).out, HasSubstr("\"version\":\"0.8\""));
  EXPECT_THAT(earthly({"prune", "--reset"}).out, HasSubstr("Freed "));
  EXPECT_EQ(earthly({"init"}).code, 1) << "there is an Earthfile";
  fs::remove(daemon->project() / "Earthfile");
  EXPECT_EQ(earthly({"init"}).code, 0);
  EXPECT_EQ(earthly({"ls"}).out, "+base\n+build\n");
  EXPECT_THAT(earthly({"--version"}).out, HasSubstr("v0.8.16"));
  EXPECT_EQ(earthly({}).code, 1);
}

}  // namespace
}  // namespace ingot::test
