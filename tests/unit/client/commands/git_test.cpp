#include "client/commands/git.h"

#include <gmock/gmock.h>

#include "tests/support/fakes.h"
#include "tests/support/git_repository.h"

namespace ingot::client {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(GitBuiltins, a_repository_and_a_directory_in_it) {
  test::TempDirectory directory;
  const test::GitRepository repository(directory, "r");
  repository.file("sub/f", "x");
  const std::string commit = repository.commit("first\n\nCo-authored-by: Bob <bob@example.com>\n");
  repository.tag("v1");
  repository.git({"remote", "set-url", "origin", "https://me:token@github.com/foo/bar.git"});
  const auto found = git_builtins(repository.tree() + "/sub", sys::system_processes());
  EXPECT_EQ(found.warning, "");
  EXPECT_THAT(
      found.values,
      UnorderedElementsAre(
          Pair("EARTHLY_GIT_HASH", commit), Pair("EARTHLY_GIT_SHORT_HASH", commit.substr(0, 8)),
          Pair("EARTHLY_GIT_BRANCH", "main"), Pair("EARTHLY_GIT_TAG", "v1"), Pair("EARTHLY_GIT_REFS", "main v1"),
          Pair("EARTHLY_GIT_COMMIT_TIMESTAMP", "1600000100"), Pair("EARTHLY_GIT_COMMIT_AUTHOR_TIMESTAMP", "1600000000"),
          Pair("EARTHLY_GIT_AUTHOR_NAME", "Ann Author"), Pair("EARTHLY_GIT_AUTHOR_EMAIL", "ann@example.com"),
          Pair("EARTHLY_GIT_CO_AUTHORS", "bob@example.com"),
          Pair("EARTHLY_GIT_ORIGIN_URL", "https://github.com/foo/bar.git"),
          Pair("EARTHLY_GIT_ORIGIN_URL_SCRUBBED", "https://github.com/foo/bar.git"),
          Pair("EARTHLY_GIT_PROJECT_NAME", "foo/bar"), Pair("EARTHLY_TARGET_PROJECT_NO_TAG", "github.com/foo/bar/sub"),
          Pair("EARTHLY_TARGET_TAG", "v1")));
}

TEST(GitBuiltins, no_repository_no_commit_no_git) {
  test::TempDirectory directory;
  test::FakeProcesses none([](const sys::Command&, const sys::OutputSink&) -> Result<sys::ExitStatus> {
    return base::fail(ErrorKind::unsupported, "no such program");
  });
  EXPECT_THAT(git_builtins(directory.path(), none).values, IsEmpty());
  EXPECT_THAT(git_builtins(directory.path(), none).warning, HasSubstr("git is not installed"));
  EXPECT_THAT(git_builtins(directory.path(), sys::system_processes()).values, IsEmpty());
  const test::GitRepository repository(directory, "r");
  repository.git({"remote", "remove", "origin"});
  EXPECT_THAT(git_builtins(repository.tree(), sys::system_processes()).values, IsEmpty());
}

TEST(GitBuiltins, somebody_else_s_repository_is_warned_of) {
  test::FakeProcesses processes([](const sys::Command&, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
    sink(sys::Stream::err, "fatal: detected dubious ownership in repository at '/p'\n");
    return sys::ExitStatus{128};
  });
  const auto found = git_builtins("/", processes);
  EXPECT_THAT(found.warning, HasSubstr("safe.directory"));
  EXPECT_THAT(found.values, IsEmpty());
}

TEST(GitCredentials, come_from_the_helper_and_nobody_is_asked) {
  test::TempDirectory directory;
  const auto config = directory.file(
      "config",
      "[credential \"https://one.example\"]\n    helper = \"!f() { echo username=me; echo password=word; }; f\"\n");
  const std::string before = std::getenv("GIT_CONFIG_GLOBAL") == nullptr ? "" : std::getenv("GIT_CONFIG_GLOBAL");
  setenv("GIT_CONFIG_GLOBAL", config.c_str(), 1);
  const auto found = git_credentials({"one.example", "two.example"}, directory.path(), sys::system_processes());
  if (before.empty())
    unsetenv("GIT_CONFIG_GLOBAL");
  else
    setenv("GIT_CONFIG_GLOBAL", before.c_str(), 1);
  EXPECT_THAT(found, UnorderedElementsAre(Pair("ingot.git-credentials.one.example", "username=me\npassword=word\n")));
}

TEST(GitCredentials, git_is_told_to_be_silent_and_the_host_is_no_script) {
  test::FakeProcesses processes(
      [](const sys::Command&, const sys::OutputSink&) -> Result<sys::ExitStatus> { return sys::ExitStatus{1}; });
  EXPECT_THAT(git_credentials({"one.example"}, "/", processes), IsEmpty());
  const auto command = processes.commands().at(0);
  EXPECT_EQ(command.argv.back(), "one.example");
  EXPECT_THAT(command.argv[2], testing::Not(HasSubstr("one.example")));
  EXPECT_THAT(*command.environment, testing::IsSupersetOf({"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS="}));
}

}  // namespace
}  // namespace ingot::client
