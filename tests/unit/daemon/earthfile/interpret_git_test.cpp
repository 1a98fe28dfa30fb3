#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUrl = "https://github.com/org/repo.git";

class OtherRepositories : public ::testing::Test {
 protected:
  void SetUp() override {
    Repository repository;
    repository.name = "github.com/org/repo";
    repository.url = kUrl;
    repository.commit = std::string(40, 'a');
    repository.branch = "main";
    repository.full_ref = "refs/heads/main";
    repository.details_file = ".git/details";
    host.repositories[repository.name] = repository;
    host.repositories["https://me:token@github.com/org/repo.git"] = repository;
    file("Earthfile",
         "VERSION 0.8\nFROM debian:bookworm\nARG --global G=theirs\nt:\n  COPY f d/g /to/\n  RUN echo $G\n"
         "  SAVE ARTIFACT /f AS LOCAL out/f\nuses-sub:\n  FROM ./sub+s\nleaves:\n  FROM ../x+t\n"
         "F:\n  FUNCTION\n  ARG A\n  COPY mine /\n  DO +INNER\nINNER:\n  FUNCTION\n  RUN echo inner\n"
         "args:\n  ARG EARTHLY_TARGET\n  ARG EARTHLY_GIT_HASH\n  ARG EARTHLY_GIT_AUTHOR\n  ARG "
         "EARTHLY_TARGET_TAG_DOCKER\n"
         "  RUN true\ndocker:\n  FROM DOCKERFILE ./image\n");
    file("sub/Earthfile", "VERSION 0.8\nFROM debian:bookworm\ns:\n  COPY here /\n  DO ..+INNER\n");
    file("image/Dockerfile", "FROM debian:bookworm\nCOPY a /a\n");
    file(".git/details", "100\n90\nAnn Author\nann@example.com\nbody\n");
  }
  void file(const std::string& path, const std::string& text) {
    host.repository_files[std::string(kUrl) + "/" + path] = text;
  }
  Result<Interpretation> run(const std::string& text, const std::map<std::string, std::string>& overrides = {}) {
    const File file = parsed(text);
    Request request{"+t", overrides};
    request.builtins = builtins;
    return interpret(file, request, host);
  }
  graph::Graph graph(const std::string& text, const std::map<std::string, std::string>& overrides = {}) {
    auto result = run(text, overrides);
    if (result) return std::move(result->graph);
    ADD_FAILURE() << proto::render(result.error());
    return {};
  }
  std::string error(const std::string& text) {
    auto result = run(text);
    return result ? "" : proto::render(result.error());
  }
  FakeHost host;
  std::map<std::string, std::string> builtins;
};

// What a recipe of theirs may see is not what the user may.
TEST_F(OtherRepositories, who_asks_for_a_repository_is_told) {
  const auto add = [&](const std::string& name, const std::string& text) {
    Repository repository = host.repositories["github.com/org/repo"];
    repository.name = "github.com/" + name;
    repository.url = "https://github.com/" + name + ".git";
    host.repositories[repository.name] = repository;
    host.repositories[repository.url] = repository;
    host.repository_files[repository.url + "/Earthfile"] = "VERSION 0.8\nFROM debian:bookworm\n" + text;
  };
  add("org/private", "");
  add("org/tools",
      "CLONE:\n  FUNCTION\n  GIT CLONE https://github.com/org/private.git /p\n"
      "t:\n  DO +CLONE\n");
  add("evil/lib",
      "t:\n  GIT CLONE https://github.com/org/private.git /p\n  RUN curl\n"
      "by-function:\n  DO github.com/org/tools+CLONE\nby-target:\n  FROM github.com/org/tools+t\n");
  const auto asked = [&](const std::string& command) {
    host.asked_for.clear();
    graph("VERSION 0.8\nt:\n  FROM debian:bookworm\n  " + command + "\n");
    return host.asked_for;
  };
  const std::string url = "https://github.com/org/private.git";
  EXPECT_THAT(asked("GIT CLONE " + url + " /p"), ElementsAre());
  EXPECT_THAT(asked("FROM github.com/evil/lib+t"), ElementsAre(url + " by github.com/evil"));
  EXPECT_THAT(asked("DO github.com/org/tools+CLONE"), ElementsAre(url + " by github.com/org"));
  EXPECT_THAT(asked("FROM github.com/org/tools+t"), ElementsAre(url + " by github.com/org"));
  for (const char* way : {"by-function", "by-target"}) {
    EXPECT_THAT(asked(std::string("BUILD github.com/evil/lib+") + way),
                ElementsAre("github.com/org/tools by github.com/evil", url + " by several owners"));
  }
  EXPECT_THAT(
      asked("BUILD github.com/org/tools+t\n  BUILD github.com/evil/lib+by-target"),
      ElementsAre("github.com/org/tools by github.com/evil", url + " by github.com/org", url + " by several owners"))
      << "what one may see is not the other's";
}

TEST_F(OtherRepositories, a_target_copies_from_its_own_repository) {
  const auto made = graph("VERSION 0.8\nt:\n  FROM github.com/org/repo:v1+t\n", {{"G", "mine"}});
  const auto repositories = steps_of<graph::GitOp>(made);
  ASSERT_EQ(repositories.size(), 1U);
  EXPECT_EQ(repositories[0].url, kUrl);
  EXPECT_EQ(repositories[0].commit, std::string(40, 'a'));
  const auto copies = steps_of<graph::CopyOp>(made);
  ASSERT_EQ(copies.size(), 1U);
  ASSERT_TRUE(copies[0].from);
  EXPECT_TRUE(std::holds_alternative<graph::GitOp>(made.steps[*copies[0].from].operation));
  EXPECT_THAT(copies[0].sources, ElementsAre("/f", "/d/g"));
  EXPECT_EQ(seen_by_run(made, "G"), "theirs") << "overrides stay in their Earthfile";
  EXPECT_THAT(host.looked_at, ElementsAre("github.com/org/repo:v1"));
  EXPECT_EQ(made.steps.back().target, "github.com/org/repo:v1+t");
  EXPECT_EQ(seen_by_run(graph("VERSION 0.8\nt:\n  FROM --pass-args github.com/org/repo+t\n", {{"G", "mine"}}), "G"),
            "mine");
}

TEST_F(OtherRepositories, directories_of_it_and_references_inside_of_it) {
  for (const char* line : {"FROM github.com/org/repo/sub:v1+s", "FROM github.com/org/repo:v1+uses-sub"}) {
    const auto made = graph(std::string("VERSION 0.8\nt:\n  ") + line + "\n");
    const auto copies = steps_of<graph::CopyOp>(made);
    ASSERT_EQ(copies.size(), 1U) << line;
    EXPECT_THAT(copies[0].sources, ElementsAre("/sub/here")) << line;
    EXPECT_EQ(steps_of<graph::GitOp>(made).size(), 1U) << line;
  }
  EXPECT_THAT(error("VERSION 0.8\nt:\n  FROM github.com/org/repo+leaves\n"), HasSubstr("outside of the repository"));
  EXPECT_THAT(error("VERSION 0.8\nt:\n  FROM github.com/org/repo/none:v1+t\n"),
              HasSubstr("the repository github.com/org/repo:v1 has no none/Earthfile"));
}

TEST_F(OtherRepositories, a_function_copies_what_its_caller_has) {
  const auto made = graph("VERSION 0.8\nIMPORT github.com/org/repo:v1\nt:\n  FROM debian:bookworm\n  DO repo+F\n");
  const auto copies = steps_of<graph::CopyOp>(made);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_FALSE(copies[0].from);
  EXPECT_THAT(copies[0].sources, ElementsAre("mine"));
  EXPECT_EQ(steps_of<graph::ExecOp>(made).size(), 1U) << "a function beside it is found there";
}

TEST_F(OtherRepositories, an_import_that_nobody_uses_asks_nobody) {
  graph("VERSION 0.8\nIMPORT github.com/org/nosuch:v1 AS x\nt:\n  FROM debian:bookworm\n  RUN true\n");
  EXPECT_THAT(host.looked_at, ElementsAre());
}

TEST_F(OtherRepositories, local_artifacts_land_in_the_project) {
  const auto made = graph("VERSION 0.8\nt:\n  BUILD github.com/org/repo+t\n");
  ASSERT_EQ(made.artifacts.size(), 1U);
  EXPECT_EQ(made.artifacts[0].local_path, "out/f");
  const auto copied = graph("VERSION 0.8\nt:\n  FROM debian:bookworm\n  COPY (github.com/org/repo:v1+t/f --G=x) /\n");
  EXPECT_TRUE(copied.artifacts.empty());
}

TEST_F(OtherRepositories, what_was_not_fetched_leaves_a_plan_open) {
  host.repository_files[std::string(kUrl) + "/Earthfile"] = std::nullopt;
  const auto result = run("VERSION 0.8\nt:\n  FROM debian:bookworm\n  RUN true\n  BUILD github.com/org/repo+t\n");
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->open_question);
  EXPECT_EQ(result->open_question->line, 5);
  EXPECT_EQ(steps_of<graph::ExecOp>(result->graph).size(), 1U);
}

TEST_F(OtherRepositories, a_dockerfile_of_it) {
  const auto made = graph("VERSION 0.8\nt:\n  FROM github.com/org/repo+docker\n");
  const auto copies = steps_of<graph::CopyOp>(made);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_TRUE(copies[0].from);
  EXPECT_THAT(copies[0].sources, ElementsAre("/image/a"));
}

TEST_F(OtherRepositories, builtin_arguments_are_the_repository_s) {
  builtins = {{"EARTHLY_GIT_HASH", "the project's"}};
  const auto made = graph("VERSION 0.8\nt:\n  FROM github.com/org/repo:a/b+args\n");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_TARGET"), "github.com/org/repo:a/b+args");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_GIT_HASH"), std::string(40, 'a'));
  EXPECT_EQ(seen_by_run(made, "EARTHLY_GIT_AUTHOR"), "ann@example.com");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_TARGET_TAG_DOCKER"), "a_b");
}

TEST_F(OtherRepositories, builtin_arguments_of_the_project_come_from_the_client) {
  builtins = {{"EARTHLY_GIT_HASH", "abc"},           {"EARTHLY_TARGET_PROJECT_NO_TAG", "github.com/me/mine"},
              {"EARTHLY_TARGET_TAG", "v1"},          {"EARTHLY_GIT_AUTHOR_NAME", "Ann"},
              {"EARTHLY_GIT_AUTHOR_EMAIL", "a@b.c"}, {"EARTHLY_CI", "true"},
              {"EARTHLY_GIT_COMMIT_TIMESTAMP", "7"}};
  host.files["lib/Earthfile"] = "VERSION 0.8\nFROM debian:bookworm\nu:\n  ARG EARTHLY_TARGET_PROJECT\n  RUN true\n";
  const std::string args =
      "  FROM debian:bookworm\n  ARG EARTHLY_GIT_HASH\n  ARG EARTHLY_TARGET\n  ARG EARTHLY_GIT_AUTHOR\n  ARG "
      "EARTHLY_CI\n"
      "  ARG EARTHLY_SOURCE_DATE_EPOCH\n  ARG EARTHLY_GIT_TAG\n  RUN true\n";
  const auto made = graph("VERSION 0.8\nt:\n" + args);
  EXPECT_EQ(seen_by_run(made, "EARTHLY_GIT_HASH"), "abc");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_TARGET"), "github.com/me/mine:v1+t");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_GIT_AUTHOR"), "a@b.c");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_CI"), "true");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_SOURCE_DATE_EPOCH"), "7");
  EXPECT_EQ(seen_by_run(made, "EARTHLY_GIT_TAG"), "") << "what the client does not know is empty";
  EXPECT_EQ(seen_by_run(graph("VERSION --git-author-email-name-args 0.8\nt:\n" + args), "EARTHLY_GIT_AUTHOR"),
            "Ann <a@b.c>");
  EXPECT_EQ(seen_by_run(graph("VERSION 0.8\nt:\n  FROM ./lib+u\n  BUILD ./lib+u\n"), "EARTHLY_TARGET_PROJECT"),
            "github.com/me/mine/lib:v1");
  EXPECT_EQ(seen_by_run(graph(in_target("RUN true\n")), "EARTHLY_GIT_HASH"), "(unset)") << "not declared, so in no key";
  // Without its feature it is an argument like any other.
  EXPECT_EQ(seen_by_run(graph("VERSION 0.6\nt:\n"
                              "  FROM debian:bookworm\n  ARG EARTHLY_GIT_AUTHOR=x\n  RUN true\n"),
                        "EARTHLY_GIT_AUTHOR"),
            "x");
}

TEST_F(OtherRepositories, git_clone_is_a_copy_of_a_commit) {
  const auto made = graph(in_target(
      "WORKDIR /w\nUSER me\nGIT CLONE --branch main --keep-ts https://me:token@github.com/org/repo.git there"));
  const auto copies = steps_of<graph::CopyOp>(made);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies[0].destination, "/w/there");
  EXPECT_EQ(copies[0].chown, "me");
  EXPECT_TRUE(copies[0].keep_ts);
  ASSERT_TRUE(copies[0].from);
  EXPECT_TRUE(std::holds_alternative<graph::GitOp>(made.steps[*copies[0].from].operation));
  for (const auto& step : made.steps) {
    EXPECT_THAT(step.text, Not(HasSubstr("token")));
    const bool fetches = std::holds_alternative<graph::GitOp>(step.operation);
    EXPECT_TRUE(!fetches || step.position.source_line.find("token") == std::string::npos) << step.position.source_line;
  }
}

TEST_F(OtherRepositories, mistakes_are_told_at_their_place) {
  EXPECT_THAT(error(in_target("GIT CLONE --branch nosuch https://me:token@github.com/org/repo.git there")),
              AllOf(HasSubstr("Earthfile:4: it has no branch or tag \"nosuch\""), Not(HasSubstr("token"))));
  EXPECT_THAT(error(in_target("GIT CLONE https://none.example/x.git there")),
              HasSubstr("Earthfile:4:15: there is no repository"));
  EXPECT_THAT(error(in_target("GIT CLONE https://github.com/org/repo.git")), HasSubstr("a repository and a directory"));
  EXPECT_THAT(error(in_target("GIT CLONE \"$NONE\" there")), HasSubstr("this is empty here"));
  EXPECT_THAT(error(in_target("FROM github.com/org/other+t")),
              HasSubstr("Earthfile:4:10: there is no repository github.com/org/other"));
  EXPECT_THAT(error(in_target("FROM github.com/org/repo:+t")), HasSubstr("ends where its tag should stand"));
  EXPECT_THAT(error(in_target("FROM https://me:token@github.com/org/repo+t")),
              AllOf(HasSubstr("is a URL"), Not(HasSubstr("token"))));
  EXPECT_THAT(error(in_target("FROM git@github.com:org/repo+t")), HasSubstr("is a URL"));
  EXPECT_THAT(error(in_target("IMPORT lib AS x")), HasSubstr("neither a directory nor a repository"));
  EXPECT_THAT(error(in_target("FROM github.com/org/repo+nosuch")),
              HasSubstr("github.com/org/repo/Earthfile has no target \"+nosuch\""));
}

TEST_F(OtherRepositories, the_requested_target_may_be_one_of_them) {
  const File none = parsed("VERSION 0.8\n");
  const auto interpreted = [&](const std::string& target, const std::map<std::string, std::string>& overrides) {
    return interpret(none, {target, overrides}, host);
  };
  const auto result = interpreted("github.com/org/repo:v1+t", {{"G", "mine"}});
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_EQ(seen_by_run(result->graph, "G"), "mine");
  EXPECT_THAT(result->warnings, ::testing::IsEmpty());
  ASSERT_EQ(result->graph.artifacts.size(), 1U);
  EXPECT_EQ(result->graph.artifacts[0].local_path, "out/f");
  EXPECT_THAT(interpreted("github.com/org/repo+t", {{"NONE", "1"}})->warnings, ElementsAre(HasSubstr("NONE")));
  ASSERT_TRUE(interpreted("github.com/org/repo/sub+s", {}));
  const auto refused = interpreted("github.com/org/repo:nosuch+t", {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(proto::render(refused.error()), HasSubstr("command line:1:1: it has no branch or tag \"nosuch\""));
  EXPECT_THAT(proto::render(interpreted("github.com/org/repo+nosuch", {}).error()), HasSubstr("no target \"+nosuch\""));
}

class Privileges : public OtherRepositories {
 protected:
  void SetUp() override {
    OtherRepositories::SetUp();
    file("Earthfile",
         "VERSION 0.8\nFROM debian:bookworm\np:\n  RUN --privileged mount\n  SAVE ARTIFACT /f\n"
         "d:\n  WITH DOCKER\n    RUN docker ps\n  END\nby-sub:\n  FROM ./sub+s\nbuilds:\n  BUILD +p\n"
         "asks:\n  IF --privileged test -f /x\n    RUN x\n  END\n"
         "F:\n  FUNCTION\n  RUN --privileged mount\nagain:\n  FROM github.com/org/repo+p\n"
         "passes:\n  FROM --allow-privileged github.com/org/repo+p\nplain:\n  RUN true\n");
    file("sub/Earthfile", "VERSION 0.8\nFROM debian:bookworm\ns:\n  RUN --privileged mount\n");
  }
  std::string of_line(const std::string& line) { return error(in_target(line)); }
};

TEST_F(Privileges, another_repository_has_them_where_the_reference_says_so) {
  for (const char* line :
       {"FROM {}github.com/org/repo+p", "BUILD {}github.com/org/repo+p", "COPY {}github.com/org/repo+p/f /",
        "DO {}github.com/org/repo+F", "FROM {}github.com/org/repo+d", "FROM {}github.com/org/repo+by-sub",
        "FROM {}github.com/org/repo+builds", "FROM {}github.com/org/repo+asks",
        "WITH DOCKER {}--load x=github.com/org/repo+p\n  RUN x\nEND"}) {
    EXPECT_THAT(of_line(fmt::format(fmt::runtime(line), "")), HasSubstr("of Earthfile:4 refers to another repository"))
        << line;
    EXPECT_EQ(of_line(fmt::format(fmt::runtime(line), "--allow-privileged ")), "") << line;
  }
  EXPECT_EQ(of_line("FROM github.com/org/repo+plain"), "") << "what has none needs none";
}

TEST_F(Privileges, every_reference_on_the_way_must_say_so) {
  EXPECT_THAT(
      of_line("FROM --allow-privileged github.com/org/repo+again"),
      AllOf(HasSubstr("--privileged is not allowed here: github.com/org/repo+p of github.com/org/repo/Earthfile:"),
            HasSubstr("in github.com/org/repo+again")));
  EXPECT_EQ(of_line("FROM --allow-privileged github.com/org/repo+passes"), "");
  EXPECT_THAT(of_line("FROM github.com/org/repo+passes"), HasSubstr("github.com/org/repo+passes of Earthfile:4"));
}

TEST_F(Privileges, an_import_says_so_for_all_that_goes_by_it) {
  EXPECT_EQ(of_line("IMPORT --allow-privileged github.com/org/repo AS r\nFROM r+p\nDO r+F"), "");
  EXPECT_EQ(of_line("IMPORT github.com/org/repo AS r\nFROM --allow-privileged r+p"), "");
  EXPECT_THAT(of_line("IMPORT github.com/org/repo AS r\nFROM r+p"), HasSubstr("r+p of Earthfile:5"));
}

// What was read for who may not have them is not what who may gets, and the other way round.
TEST_F(Privileges, the_same_target_may_be_referred_to_in_both_ways) {
  EXPECT_THAT(of_line("BUILD --allow-privileged github.com/org/repo+p\nBUILD github.com/org/repo+p"),
              HasSubstr("of Earthfile:5"));
  EXPECT_EQ(of_line("BUILD github.com/org/repo+plain\nBUILD --allow-privileged github.com/org/repo+p"), "");
}

TEST_F(Privileges, ones_own_recipes_need_nothing) {
  EXPECT_EQ(of_line("RUN --privileged mount"), "");
  host.files["lib/Earthfile"] = "VERSION 0.8\nFROM debian:bookworm\np:\n  RUN --privileged mount\n";
  EXPECT_EQ(of_line("FROM ./lib+p"), "");
}

}  // namespace
}  // namespace ingot::earthfile
