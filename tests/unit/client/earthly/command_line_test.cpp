#include "client/earthly/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/earthly/build_request.h"
#include "client/earthly/flag_table.h"
#include "daemon/earthfile/builtins.h"

namespace ingot::client::earthly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Arguments = std::vector<std::string>;
using Form = BuildRequest::Form;

class EarthlyCommandLine : public testing::Test {
 protected:
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> files;

  Result<CommandLine> read(const Arguments& arguments) {
    const World world{[this](const std::string& name) -> std::optional<std::string> {
                        const auto found = environment.find(name);
                        return found == environment.end() ? std::nullopt : std::optional(found->second);
                      },
                      [this](const std::string& path) -> Result<std::string> {
                        const auto found = files.find(path);
                        if (found != files.end()) return found->second;
                        return base::fail(ErrorKind::not_found, "there is no " + path);
                      }};
    return read_command_line(arguments, world);
  }
  CommandLine line(const Arguments& arguments) {
    auto read_line = read(arguments);
    EXPECT_TRUE(read_line) << (read_line ? "" : proto::render(read_line.error()));
    return read_line.value_or(CommandLine{});
  }
  BuildRequest request(const Arguments& arguments) {
    auto made = build_request(line(arguments));
    EXPECT_TRUE(made) << (made ? "" : proto::render(made.error()));
    return made.value_or(BuildRequest{});
  }
  std::string error(const Arguments& arguments) {
    auto read_line = read(arguments);
    if (!read_line) return proto::render(read_line.error());
    if (read_line->command != "build") return "no error";
    auto made = build_request(*read_line);
    return made ? "no error" : proto::render(made.error());
  }
};

TEST_F(EarthlyCommandLine, flags_stand_before_the_target_and_arguments_behind_it) {
  const auto build = request({"--push", "-P", "--no-cache", "-s", "A=b", "--secret=C", "--build-arg", "X=1", "+iso",
                              "--push=later", "--Y=2", "--Z", "3"});
  EXPECT_EQ(build.form, Form::target);
  EXPECT_THAT(build.invocation.words, ElementsAre("+iso", "--push=later", "--Y=2", "--Z=3"));
  EXPECT_TRUE(build.invocation.has("--push"));
  EXPECT_THAT(build.invocation.values("--no-cache"), ElementsAre(""));
  EXPECT_THAT(build.invocation.values("--secret"), ElementsAre("A=b", "C"));
  EXPECT_THAT(build.invocation.values("--build-arg"), ElementsAre("X=1"));
  EXPECT_FALSE(build.invocation.has("--arg-file-path")) << "the project's own .arg is found without";
}

TEST_F(EarthlyCommandLine, one_dash_is_as_good_as_two_and_a_flag_can_be_turned_off) {
  EXPECT_TRUE(line({"-ci", "+t"}).has("ci"));
  EXPECT_TRUE(line({"--ci=true", "+t"}).has("ci"));
  EXPECT_FALSE(line({"--ci=false", "+t"}).has("ci"));
  environment["EARTHLY_CI"] = "true";
  EXPECT_TRUE(line({"+t"}).has("ci"));
  EXPECT_FALSE(line({"--ci=false", "+t"}).has("ci")) << "the command line wins";
  EXPECT_THAT(error({"--ci=perhaps", "+t"}), HasSubstr("--ci is true or false, not \"perhaps\""));
}

TEST_F(EarthlyCommandLine, what_is_written) {
  EXPECT_TRUE(request({"+t"}).writes_output);
  EXPECT_FALSE(request({"--no-output", "+t"}).writes_output);
  EXPECT_FALSE(request({"--ci", "+t"}).writes_output) << "--ci implies --no-output";
  EXPECT_TRUE(request({"--ci", "--output", "+t"}).writes_output);
  EXPECT_FALSE(request({"--ci", "--push", "+t"}).writes_output);
  EXPECT_THAT(error({"--no-output", "--artifact", "+t/x"}), HasSubstr("contradicts"));
  EXPECT_THAT(error({"--no-output", "--output", "+t"}), HasSubstr("contradicts"));
}

TEST_F(EarthlyCommandLine, locally_is_allowed_where_nothing_forbids_it) {
  EXPECT_TRUE(request({"+t"}).invocation.has("--allow-locally"));
  EXPECT_FALSE(request({"--strict", "+t"}).invocation.has("--allow-locally"));
  EXPECT_FALSE(request({"--ci", "+t"}).invocation.has("--allow-locally")) << "it implies --strict";
  environment["EARTHLY_STRICT"] = "true";
  EXPECT_FALSE(request({"+t"}).invocation.has("--allow-locally"));
}

TEST_F(EarthlyCommandLine, the_artifact_form) {
  auto build = request({"--artifact", "+t/dir/x", "out/"});
  EXPECT_EQ(build.form, Form::artifact);
  EXPECT_EQ(build.target, "+t");
  EXPECT_EQ(build.artifact, "dir/x");
  EXPECT_EQ(build.destination, "out/");
  build = request({"-a", "(+t/x --A=1 --B=2)", "out"});
  EXPECT_THAT(build.invocation.words, ElementsAre("+t", "--A=1", "--B=2"));
  EXPECT_EQ(build.artifact, "x");
  EXPECT_EQ(build.destination, "out");
  build = request({"-a", "(+t/x", "--A=1)", "--C=3"});
  EXPECT_THAT(build.invocation.words, ElementsAre("+t", "--A=1", "--C=3"));
  EXPECT_EQ(build.destination, "./");
  EXPECT_EQ(request({"-a", "+t/"}).artifact, "*");
  EXPECT_THAT(error({"-a", "+t"}), HasSubstr("no artifact of it"));
  EXPECT_THAT(error({"-a", "+t/x", "a", "b"}), HasSubstr("one word too many"));
  EXPECT_THAT(error({"+t", "a"}), HasSubstr("one word too many"));
}

TEST_F(EarthlyCommandLine, the_image_form) {
  EXPECT_EQ(request({"--image", "+t"}).form, Form::image);
  EXPECT_THAT(error({"--image", "--artifact", "+t/x"}), HasSubstr("two forms"));
}

TEST_F(EarthlyCommandLine, a_target_of_another_directory_is_built_there_with_the_files_of_here) {
  const auto build = request({"./sub+t"});
  EXPECT_EQ(build.invocation.value("--directory"), "./sub");
  EXPECT_THAT(build.invocation.words, ElementsAre("+t"));
  EXPECT_EQ(build.invocation.value("--arg-file-path"), "/dev/null") << "not the .arg beside the other Earthfile";
}

TEST_F(EarthlyCommandLine, a_target_of_another_repository) {
  auto build = request({"github.com/org/repo:v1+t", "--A=1"});
  EXPECT_EQ(build.target, "github.com/org/repo:v1+t");
  EXPECT_THAT(build.invocation.words, ElementsAre("github.com/org/repo:v1+t", "--A=1"));
  EXPECT_FALSE(build.invocation.has("--directory"));
  build = request({"--artifact", "github.com/org/repo+t/dir/x", "out"});
  EXPECT_EQ(build.target, "github.com/org/repo+t");
  EXPECT_EQ(build.artifact, "dir/x");
  EXPECT_THAT(error({"lib+t"}), HasSubstr("neither a directory's target nor a repository's"));
}

TEST_F(EarthlyCommandLine, strict_forbids_what_depends_on_the_host_and_no_warnings) {
  EXPECT_FALSE(request({"+t"}).invocation.has("--repeatable"));
  for (const char* flag : {"--strict", "--ci"}) {
    const auto build = request({flag, "+t"});
    EXPECT_TRUE(build.invocation.has("--repeatable")) << flag;
    EXPECT_FALSE(build.invocation.has("--strict")) << flag;
  }
}

TEST_F(EarthlyCommandLine, the_environment_and_dotenv_say_the_same_as_flags) {
  environment = {{"EARTHLY_BUILD_ARGS", "A=1,B=2"}, {"EARTHLY_SECRETS", "S=x,T=y"}, {"EARTHLY_PUSH", "true"}};
  files[".env"] = "EARTHLY_PUSH=false\nEARTHLY_NO_CACHE=true\nEARTHLY_SECRET_FILES=F=f\nA=other\n";
  const auto build = request({"+t"});
  EXPECT_THAT(build.invocation.values("--build-arg"), ElementsAre("A=1", "B=2"));
  EXPECT_THAT(build.invocation.values("--secret"), ElementsAre("S=x", "T=y"));
  EXPECT_THAT(build.invocation.values("--secret-file"), ElementsAre("F=f"));
  EXPECT_TRUE(build.invocation.has("--push")) << "the environment wins over .env";
  EXPECT_TRUE(build.invocation.has("--no-cache"));
  EXPECT_THAT(request({"--build-arg", "C=3", "+t"}).invocation.values("--build-arg"), ElementsAre("C=3"));
}

TEST_F(EarthlyCommandLine, another_dotenv_is_read_when_one_is_named_and_must_be_there) {
  files["my.env"] = "EARTHLY_CI=1\n";
  EXPECT_TRUE(line({"--env-file-path", "my.env", "+t"}).has("ci"));
  EXPECT_THAT(error({"--env-file-path=none.env", "+t"}), HasSubstr("there is no none.env"));
  environment["EARTHLY_ENV_FILE_PATH"] = "my.env";
  EXPECT_TRUE(line({"+t"}).has("ci"));
}

TEST_F(EarthlyCommandLine, a_dotenv_that_is_wrong_is_not_shown) {
  files[".env"] = "EARTHLY_CI=true\nEARTHLY_SECRETS='hunter2\n";
  EXPECT_THAT(error({"+t"}), HasSubstr(".env:2:"));
  EXPECT_THAT(error({"+t"}), testing::Not(HasSubstr("hunter2")));
}

TEST_F(EarthlyCommandLine, what_has_no_meaning_here_is_warned_of_and_what_cannot_be_is_refused) {
  const auto warned = line({"--buildkit-host", "tcp://x", "--use-inline-cache", "--sat=big", "+t"});
  EXPECT_THAT(warned.warnings,
              ElementsAre(HasSubstr("--buildkit-host has no effect here: the daemon is ingotd"),
                          HasSubstr("--use-inline-cache has no effect"), HasSubstr("--sat has no effect")));
  EXPECT_EQ(warned.words, Arguments{"+t"});
  EXPECT_THAT(line({"-P", "--strict", "--no-sat", "+t"}).warnings, IsEmpty());
  EXPECT_THAT(error({"-i", "+t"}), HasSubstr("-i is nothing that Ingot can do\nhint: a step that fails"));
  environment["EARTHLY_INTERACTIVE"] = "true";
  EXPECT_THAT(error({"+t"}), HasSubstr("EARTHLY_INTERACTIVE is nothing that Ingot can do"));
}

TEST_F(EarthlyCommandLine, platforms_are_passed_on) {
  EXPECT_THAT(request({"--platform=linux/riscv64", "--platform", "native", "+t"}).invocation.values("--platform"),
              ElementsAre("linux/riscv64", "native"));
  environment["EARTHLY_PLATFORMS"] = "linux/arm64";
  EXPECT_THAT(request({"+t"}).invocation.values("--platform"), ElementsAre("linux/arm64"));
}

TEST_F(EarthlyCommandLine, commands) {
  EXPECT_EQ(line({"ls", "--args", "./x"}).command, "ls");
  EXPECT_TRUE(line({"ls", "./x", "-a"}).has("args")) << "flags may follow";
  EXPECT_THAT(line({"debug", "ast", "F"}).words, ElementsAre("ast", "F"));
  EXPECT_THAT(line({"bootstrap", "--whatever"}).warnings, ElementsAre(HasSubstr("does nothing here")));
  EXPECT_THAT(error({"account", "login"}), HasSubstr("there are no accounts"));
  EXPECT_THAT(error({"prun"}), HasSubstr("did you mean \"prune\"?"));
  EXPECT_THAT(error({"build"}), HasSubstr("a target is written with a plus sign: +build"));
  EXPECT_THAT(error({"--pusch", "+t"}), HasSubstr("did you mean \"--push\"?"));
  EXPECT_THAT(error({"ls", "--push"}), HasSubstr("there is no flag --push"));
  EXPECT_EQ(line({}).command, "");
}

TEST_F(EarthlyCommandLine, every_flag_that_does_not_work_says_why) {
  for (const auto& flag : build_flags()) {
    const bool works = flag.use == FlagUse::taken || flag.use == FlagUse::idle;
    EXPECT_EQ(flag.note.empty(), works) << flag.name;
  }
}

}  // namespace
}  // namespace ingot::client::earthly
