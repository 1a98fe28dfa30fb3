#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/file_server.h"
#include "tests/support/git_repository.h"
#include "tests/support/metrics_text.h"
#include "tests/support/test_daemon.h"

// Other repositories: real ones, that the daemon's configuration maps to a directory of the test's.
namespace ingot {
namespace {

using test::GitRepository;
using test::TestDaemon;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Git : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace(std::vector<std::string>{"--repositories", "[{match: \"example.test/*/*\", url: \"file://" +
                                                                  hosts.path().string() +
                                                                  "/{path}\"}, "
                                                                  "{match: \"*/*/*\"}]"});
    lib.emplace(hosts, "org/lib");
    lib->file("Earthfile",
              "VERSION 0.8\nFROM tiny\nmade:\n    COPY hello.txt /h\n    SAVE ARTIFACT /h AS LOCAL out/h\n"
              "    RUN echo built lib\nother:\n    FROM ./sub+inner\n    RUN cat /inner\n"
              "SETUP:\n    FUNCTION\n    ARG WHAT\n    COPY local.txt /taken\n    RUN echo set up $WHAT with $(cat "
              "/taken)\n");
    lib->file("hello.txt", "hello one\n");
    lib->file("sub/Earthfile",
              "VERSION 0.8\nFROM tiny\ninner:\n    COPY here.txt /inner\n    FROM ..+made\n    COPY here.txt /inner\n");
    lib->file("sub/here.txt", "in sub\n");
    first = lib->commit();
    lib->tag("v1", true);
    lib->file("hello.txt", "hello two\n");
    second = lib->commit();
  }
  test::RunResult build(const std::string& recipe, std::vector<std::string> more = {"+t"}) {
    daemon->project_file("Earthfile", recipe);
    std::vector<std::string> arguments{"build"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return daemon->ingot(arguments);
  }
  double executed() {
    return test::parse_metrics(daemon->curl({"http://x/metrics"}).out)["ingot_steps_executed_total"];
  }
  std::string show_last() {
    const std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
    return daemon->ingot({"show", job.substr(0, job.find('\n'))}).out;
  }
  test::TempDirectory hosts;
  std::optional<TestDaemon> daemon;
  std::optional<GitRepository> lib;
  std::string first;
  std::string second;
};

TEST_F(Git, targets_artifacts_and_functions_of_another_repository) {
  daemon->project_file("local.txt", "the caller's\n");
  const std::string recipe =
      "VERSION 0.8\nIMPORT example.test/org/lib:v1 AS l\nFROM tiny\nt:\n    COPY l+made/h /from-tag\n"
      "    COPY example.test/org/lib+made/h /from-branch\n    RUN cat /from-tag /from-branch\n"
      "    DO l+SETUP --WHAT=it\n    BUILD l+other\n    BUILD example.test/org/lib/sub:main+inner\n"
      "    BUILD l+made\n";
  const auto built = build(recipe);
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| hello one\n"));
  EXPECT_THAT(built.out, HasSubstr("| hello two\n"));
  EXPECT_THAT(built.out, HasSubstr("| set up it with the caller's\n"));
  EXPECT_THAT(built.out, HasSubstr("| in sub\n"));
  EXPECT_THAT(built.out, HasSubstr("example.test/org/lib:v1+made"));
  EXPECT_EQ(test::slurp(daemon->project() / "out/h"), "hello one\n");
  EXPECT_THAT(show_last(), HasSubstr(first + "  example.test/org/lib:v1\n"));
  EXPECT_THAT(show_last(), HasSubstr(second + "  example.test/org/lib\n"));

  const auto before = executed();
  const auto again = build(recipe);
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(executed(), before) << "the same commits: nothing is made anew" << again.out;
}

TEST_F(Git, a_branch_that_moved_is_built_anew_and_a_commit_is_not_asked_for) {
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    COPY example.test/org/lib:main+made/h /h\n    RUN cat /h\n";
  EXPECT_THAT(build(recipe).out, HasSubstr("| hello two\n"));
  lib->file("hello.txt", "hello three\n");
  lib->commit();
  EXPECT_THAT(build(recipe).out, HasSubstr("| hello three\n"));
  const std::string pinned =
      "VERSION 0.8\nt:\n    FROM tiny\n    COPY example.test/org/lib:" + first + "+made/h /h\n    RUN cat /h\n";
  EXPECT_THAT(build(pinned).out, HasSubstr("| hello one\n"));
  std::filesystem::rename(hosts / "org", hosts / "gone");
  const auto offline = build(pinned);
  EXPECT_EQ(offline.code, 0) << "what is there needs no network: " << offline.out << offline.err;
}

TEST_F(Git, clone_leaves_a_repository_without_traces_of_its_way) {
  lib->file("run.sh", "#!/bin/sh\n");
  std::filesystem::permissions(lib->tree() + "/run.sh", std::filesystem::perms(0755));
  std::filesystem::create_symlink("run.sh", lib->tree() + "/link");
  const std::string third = lib->commit();
  lib->tag("v3");
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    WORKDIR /w\n    GIT CLONE --branch v3 "
      "https://me:s3cret-token@example.test/org/lib.git there\n"
      "    RUN cat there/hello.txt there/.git/HEAD there/.git/config && test -x there/run.sh && test -L there/link\n"
      "    RUN ls there/.git && cat there/.git/refs/tags/v3\n"
      "    RUN stat -c '%Y %u' there/hello.txt\n"
      "    RUN : https://me:s3cret-token@example.test/org/lib.git ssh://git:s3cret-token@example.test/x\n"
      "    GIT CLONE --keep-ts git@example.test:org/lib.git /kept\n    RUN stat -c 'kept %Y' /kept/hello.txt\n";
  const auto built = build(recipe);
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| hello two\n"));
  EXPECT_THAT(built.out, HasSubstr("| " + third + "\n"));
  EXPECT_THAT(built.out, HasSubstr("url = \"https://example.test/org/lib.git\""));
  EXPECT_THAT(built.out, HasSubstr("| 1587038400 0\n"));
  EXPECT_THAT(built.out, HasSubstr("| kept 1600000100\n"));
  EXPECT_THAT(built.out, Not(HasSubstr("FETCH_HEAD")));
  EXPECT_THAT(built.out, Not(HasSubstr(hosts.path().string()))) << "where the mirror is is not the recipe's business";
  const std::string everything = built.out + built.err + show_last() + daemon->log();
  EXPECT_THAT(everything, Not(HasSubstr("s3cret-token")));
  EXPECT_EQ(test::run_program({"grep", "-rl", "s3cret-token", (daemon->state() / "logs").string(),
                               (daemon->state() / "snapshots").string(), (daemon->state() / "ingot.db").string()})
                .out,
            "")
      << "but for the project itself, which has the recipe";
  const auto before = executed();
  EXPECT_EQ(build(recipe).code, 0);
  EXPECT_EQ(executed(), before);
}

TEST_F(Git, submodules_come_along) {
  GitRepository inner(hosts, "org/inner");
  inner.file("deep.txt", "deep\n");
  inner.commit();
  lib->git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.bare(), "parts/inner"});
  lib->git({"config", "-f", ".gitmodules", "submodule.parts/inner.url", "../inner.git"});
  lib->commit();
  const auto built = build(
      "VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE https://example.test/org/lib.git /l\n    RUN cat "
      "/l/parts/inner/deep.txt\n");
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| deep\n"));
  // One that leads to the daemon's own files is refused.
  lib->git({"config", "-f", ".gitmodules", "submodule.parts/inner.url", inner.bare()});
  lib->commit();
  const auto refused = build("VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE https://example.test/org/lib.git /l\n");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out + refused.err, HasSubstr("in the submodule parts/inner"));
}

TEST_F(Git, a_plan_fetches_nothing) {
  const std::string recipe = "VERSION 0.8\nt:\n    FROM example.test/org/lib:v1+made\n    RUN echo end\n";
  daemon->project_file("Earthfile", recipe);
  const auto before = daemon->ingot({"plan", "+t"});
  EXPECT_EQ(before.code, 0) << before.err;
  EXPECT_THAT(before.out + before.err, HasSubstr("what comes after Earthfile:3"));
  EXPECT_EQ(executed(), 0);
  ASSERT_EQ(build(recipe).code, 0);
  const auto after = daemon->ingot({"plan", "+t"});
  EXPECT_THAT(after.out + after.err, Not(HasSubstr("what comes after")));
  EXPECT_THAT(after.out, HasSubstr("echo end"));
}

TEST_F(Git, what_is_not_there_is_named_with_a_cure) {
  const auto error = [&](const std::string& line) {
    const auto built = build("VERSION 0.8\nt:\n    FROM tiny\n    " + line + "\n");
    EXPECT_NE(built.code, 0) << line;
    return built.out + built.err;
  };
  EXPECT_THAT(error("FROM example.test/org/nosuch+t"),
              HasSubstr("Earthfile:4:10: cannot look at the repository example.test/org/nosuch"));
  EXPECT_THAT(error("FROM example.test/org/lib:v2+t"), HasSubstr("did you mean \"v1\"?"));
  EXPECT_THAT(error("FROM example.test/org/lib:$(echo '-x')+t"), HasSubstr("is no name of a branch"));
  EXPECT_THAT(error("FROM example.test/org/lib/none+t"), HasSubstr("has no none/Earthfile"));
  EXPECT_THAT(error("FROM example.test/org/lib+none"),
              HasSubstr("example.test/org/lib/Earthfile has no target \"+none\""));
  EXPECT_THAT(error("GIT CLONE --branch nosuch https://example.test/org/lib.git x"),
              HasSubstr("Earthfile:4:15: the repository example.test/org/lib has no branch or tag \"nosuch\""));
  EXPECT_THAT(error("GIT CLONE file:///etc x"), HasSubstr("repositories are not fetched by \"file\""));
  EXPECT_THAT(error("GIT CLONE \"ext::sh -c id\" x"), HasSubstr("Earthfile:4:15"));
  EXPECT_THAT(error("GIT CLONE git@other.test:org/lib.git x"),
              HasSubstr("other.test/org/lib (from https://other.test/org/lib.git)"));
  EXPECT_THAT(error("GIT CLONE https://a:hid/den@127.0.0.1:1/org/lib.git x"),
              AllOf(HasSubstr("Earthfile:4: a URL of a repository names no host"), Not(HasSubstr("hid")),
                    Not(HasSubstr("den@"))));
}

// Steps may not go there, and the daemon does not go there for them.
TEST_F(Git, what_only_the_hosts_own_network_reaches_is_not_fetched) {
  test::FileServer server(hosts.path(), "me", "word");
  const std::string port = std::to_string(server.port());
  for (const auto& url : {"http://127.0.0.1:" + port, "http://localhost:" + port, "https://a:hidden@127.1:" + port,
                          "git://0.0.0.0:" + port, std::string("http://169.254.169.254"), "http://[::1]:" + port}) {
    const auto built = build("VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE " + url + "/org/lib.git x\n");
    EXPECT_EQ(built.code, proto::info(ErrorKind::denied).exit_code) << url;
    EXPECT_THAT(built.out + built.err, AllOf(HasSubstr("Earthfile:4"), HasSubstr(": the repository "),
                                             HasSubstr("which is the daemon's own host"),
                                             HasSubstr("a rule of `repositories`"), Not(HasSubstr("hidden"))))
        << url;
  }
  GitRepository inner(hosts, "org/inner");
  inner.file("f", "f");
  inner.commit();
  lib->git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.bare(), "s"});
  lib->git({"config", "-f", ".gitmodules", "submodule.s.url", "http://127.0.0.1:" + port + "/org/inner.git"});
  lib->commit();
  const auto built = build("VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE https://example.test/org/lib.git x\n");
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out + built.err, AllOf(HasSubstr("in the submodule s of example.test/org/lib"),
                                           HasSubstr("which is the daemon's own host")));
}

TEST_F(Git, a_target_of_another_repository_on_the_command_line) {
  const auto built = daemon->ingot({"build", "example.test/org/lib:v1+made"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_EQ(test::slurp(daemon->project() / "out/h"), "hello one\n");
  EXPECT_THAT(show_last(), HasSubstr("example.test/org/lib:v1+made"));
  const auto refused = daemon->ingot({"build", "example.test/org/lib:nosuch+made"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out + refused.err, HasSubstr("has no branch or tag \"nosuch\""));
}

TEST_F(Git, privileges_are_for_who_is_trusted) {
  lib->file("Earthfile", "VERSION 0.8\nFROM tiny\np:\n    RUN --privileged true\n");
  lib->commit();
  const auto refused = build("VERSION 0.8\nt:\n    BUILD example.test/org/lib+p\n");
  EXPECT_EQ(refused.code, proto::info(ErrorKind::denied).exit_code) << refused.out << refused.err;
  EXPECT_THAT(refused.out + refused.err,
              HasSubstr("example.test/org/lib+p of Earthfile:3 refers to another repository"));
  const auto trusted = build("VERSION 0.8\nt:\n    BUILD --allow-privileged example.test/org/lib+p\n");
  EXPECT_THAT(trusted.out + trusted.err, HasSubstr("sandbox.allow_privileged")) << "now the host is asked";
}

TEST_F(Git, a_circle_through_two_repositories_is_found) {
  GitRepository one(hosts, "org/one");
  one.file("Earthfile", "VERSION 0.8\nt:\n    FROM example.test/org/two:main+t\n");
  one.commit();
  GitRepository two(hosts, "org/two");
  two.file("Earthfile", "VERSION 0.8\nt:\n    FROM example.test/org/one:main+t\n");
  two.commit();
  const auto built = build("VERSION 0.8\nt:\n    FROM example.test/org/one:main+t\n");
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out + built.err, HasSubstr("stands on itself"));
}

TEST_F(Git, a_repository_that_is_too_large_is_refused) {
  daemon->stop();
  daemon.emplace(std::vector<std::string>{
      "--limits-context-file", "1M", "--repositories",
      "[{match: \"example.test/*/*\", url: \"file://" + hosts.path().string() + "/{path}\"}]"});
  lib->file("large", std::string(2 << 20, 'x'));
  lib->commit();
  const auto built = build("VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE https://example.test/org/lib.git /l\n");
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out + built.err, HasSubstr("is too large"));
  EXPECT_EQ(daemon->leftovers(), "");
}

TEST_F(Git, builtin_arguments_tell_of_the_project_and_of_a_fetched_repository) {
  GitRepository project(hosts, "org/project");
  lib->file(
      "Earthfile",
      "VERSION 0.8\nthere:\n    FROM tiny\n    ARG EARTHLY_GIT_HASH\n    ARG EARTHLY_GIT_COMMIT_TIMESTAMP\n"
      "    ARG EARTHLY_TARGET\n    RUN echo there $EARTHLY_GIT_HASH $EARTHLY_GIT_COMMIT_TIMESTAMP $EARTHLY_TARGET\n");
  const std::string third = lib->commit();
  const std::string recipe =
      "VERSION --git-author-email-name-args 0.8\nt:\n    FROM tiny\n    ARG EARTHLY_GIT_HASH\n    ARG "
      "EARTHLY_GIT_BRANCH\n"
      "    ARG EARTHLY_GIT_AUTHOR\n    ARG EARTHLY_TARGET\n    ARG EARTHLY_SOURCE_DATE_EPOCH\n"
      "    ARG EARTHLY_GIT_CO_AUTHORS\n    ARG EARTHLY_GIT_ORIGIN_URL\n"
      "    RUN echo \"here $EARTHLY_GIT_HASH $EARTHLY_GIT_BRANCH $EARTHLY_GIT_AUTHOR $EARTHLY_SOURCE_DATE_EPOCH\" &&"
      " echo \"$EARTHLY_TARGET $EARTHLY_GIT_CO_AUTHORS $EARTHLY_GIT_ORIGIN_URL\"\n"
      "    BUILD example.test/org/lib:main+there\nplain:\n    FROM tiny\n    RUN echo nothing of git\n";
  std::filesystem::remove_all(daemon->project());
  std::filesystem::create_directories(daemon->project());
  daemon->project_file("Earthfile", recipe);
  const auto git = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com"});
    return test::run_program(arguments, daemon->project(), {{"GIT_CONFIG_GLOBAL", "/dev/null"}}).out;
  };
  git({"init", "--quiet", "--initial-branch=work"});
  git({"remote", "add", "origin", "https://tok3n-in-url@github.com/foo/bar.git"});
  git({"add", "."});
  git({"commit", "--quiet", "-m", "first\n\nCo-authored-by: Bob <bob@example.com>"});
  const std::string hash = git({"rev-parse", "HEAD"}).substr(0, 40);
  const std::string time = git({"show", "-s", "--format=%ct"});
  const auto built = build(recipe);
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| here " + hash + " work Ann <ann@example.com> " + time));
  EXPECT_THAT(built.out, HasSubstr("| github.com/foo/bar:work+t bob@example.com https://github.com/foo/bar.git\n"));
  EXPECT_THAT(built.out, HasSubstr("| there " + third + " 1600000100 example.test/org/lib:main+there\n"));
  EXPECT_THAT(show_last(), Not(HasSubstr("tok3n")));

  // What a recipe does not declare is in no key.
  ASSERT_EQ(build(recipe, {"+plain"}).code, 0);
  git({"commit", "--quiet", "--allow-empty", "-m", "second"});
  const auto before = executed();
  ASSERT_EQ(build(recipe, {"+plain"}).code, 0);
  EXPECT_EQ(executed(), before);
  ASSERT_EQ(build(recipe).code, 0);
  EXPECT_GT(executed(), before);
}

TEST_F(Git, credentials_of_the_user_s_own_git) {
  test::FileServer server(hosts.path(), "me", "pa55word-of-mine");
  daemon->stop();
  daemon.emplace(std::vector<std::string>{
      "--repositories", "[{match: \"private.test/*/*\", url: \"http://127.0.0.1:" + std::to_string(server.port()) +
                            "/{path}\", pass_credentials: true}]"});
  const std::string recipe =
      "VERSION 0.8\nt:\n    FROM tiny\n    COPY private.test/org/lib:v1+made/h /h\n    RUN cat /h\n"
      "    GIT CLONE https://private.test/org/lib.git /c\n    RUN cat /c/.git/config && echo pa55word-of-mine\n";
  const auto git_config = [&](const std::string& password) {
    const auto file = hosts.file(
        "gitconfig", "[credential \"https://private.test\"]\n    helper = \"!f() { echo username=me; echo password=" +
                         password + "; }; f\"\n");
    return std::map<std::string, std::string>{{"GIT_CONFIG_GLOBAL", file.string()}};
  };
  daemon->project_file("Earthfile", recipe);
  const auto refused = daemon->ingot({"build", "+t"}, {{"GIT_CONFIG_GLOBAL", "/dev/null"}});
  EXPECT_EQ(refused.code, 5) << refused.out << refused.err;
  EXPECT_THAT(refused.out + refused.err, AllOf(HasSubstr("Earthfile:4:10"), HasSubstr("git config credential.helper")));
  const auto wrong = daemon->ingot({"build", "+t"}, git_config("wrong"));
  EXPECT_THAT(wrong.out + wrong.err, HasSubstr("the credentials that were given for private.test are not taken"));

  const auto built = daemon->ingot({"build", "+t"}, git_config("pa55word-of-mine"));
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| hello one\n"));
  EXPECT_THAT(built.out, HasSubstr("| ***\n")) << "hidden in the log, like any secret";
  EXPECT_THAT(built.out + built.err + show_last() + daemon->log(), Not(HasSubstr("pa55word")));
  EXPECT_EQ(daemon->secrets_on_host(), "");
  for (const char* place : {"logs", "snapshots", "ingot.db", "ingot.db-wal"}) {
    EXPECT_EQ(test::run_program({"grep", "-rl", "password=pa55word", (daemon->state() / place).string()}).out, "");
  }

  EXPECT_EQ(daemon->ingot({"plan", "+t"}, git_config("pa55word-of-mine")).code, 0);
  // A step is not given them, whatever it asks for.
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nt:\n    FROM private.test/org/lib+made\n"
                       "    RUN --secret X=ingot.git-credentials.private.test echo \"$X\"\n");
  const auto asked = daemon->ingot({"build", "+t"}, git_config("pa55word-of-mine"));
  EXPECT_NE(asked.code, 0);
  EXPECT_THAT(asked.out + asked.err, HasSubstr("which the job does not have"));
  // Nor are they used for what another owner's recipe wants, or has for a submodule.
  GitRepository secret(hosts, "other/secret");
  secret.file("s", "secret\n");
  secret.commit();
  GitRepository beside(hosts, "org/beside");
  beside.file("b", "beside\n");
  beside.commit();
  lib->file("Earthfile",
            "VERSION 0.8\nFROM tiny\ntheirs:\n    GIT CLONE https://private.test/other/secret.git /s\n"
            "its:\n    GIT CLONE https://private.test/org/beside.git /b\n    RUN cat /b/b\n");
  lib->commit();
  daemon->project_file("Earthfile",
                       "VERSION 0.8\ntheirs:\n    FROM private.test/org/lib+theirs\n"
                       "its:\n    FROM private.test/org/lib+its\n");
  const auto its = daemon->ingot({"build", "+its"}, git_config("pa55word-of-mine"));
  EXPECT_EQ(its.code, 0) << its.out << its.err;
  const auto theirs = daemon->ingot({"build", "+theirs"}, git_config("pa55word-of-mine"));
  EXPECT_EQ(theirs.code, proto::info(ErrorKind::denied).exit_code) << theirs.out << theirs.err;
  EXPECT_THAT(theirs.out + theirs.err, AllOf(HasSubstr("private.test/org/lib/Earthfile:4:15"),
                                             HasSubstr("asked for by recipes of private.test/org")));
}

}  // namespace
}  // namespace ingot
