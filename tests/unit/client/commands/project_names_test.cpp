#include "client/commands/project_names.h"

#include <gmock/gmock.h>

#include "tests/support/temp.h"

namespace ingot::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ProjectNames, hosts_of_other_repositories) {
  test::TempDirectory project;
  project.file("Earthfile",
               "VERSION 0.8\nIMPORT one.example/a/b:v1 AS x\nFROM two.example/a/b+t\nt:\n"
               "  COPY (three.example/a/b+t/x --A=not.this/one) four.example/a/b+t/y /d/\n  BUILD ./lib+u\n"
               "  IF true\n    DO five.example/a/b+F\n  END\n  GIT CLONE --branch v1 https://six.example/a/b.git d\n"
               "  GIT CLONE git@seven.example:a/b.git d\n  RUN echo no.example/a/b+t\n  COPY no.example/a /d\n");
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  FROM eight.example/a/b+t\n  BUILD ..+t\n");
  project.file("unused/Earthfile", "VERSION 0.8\nu:\n  FROM nine.example/a/b+t\n");
  const auto names = look_at_project(project.path());
  EXPECT_THAT(names.hosts, ElementsAre("eight.example", "five.example", "four.example", "one.example", "seven.example",
                                       "six.example", "three.example", "two.example"));
  EXPECT_TRUE(names.asks_builtins) << "their recipes may";
  EXPECT_TRUE(names.asks_platform);
  EXPECT_FALSE(names.may_work_locally) << "theirs may not";
}

TEST(ProjectNames, wherever_a_target_is_taken_from) {
  for (const char* command :
       {"WITH DOCKER --load=./svc+u\n    RUN x\n  END", "WITH DOCKER --load x=./svc+u\n    RUN x\n  END",
        "RUN --mount=type=bind,from=./svc+u,target=/x true", "COPY --dir (./svc+u/f --A=b) /", "BUILD ./svc/$s+x",
        "BUILD ./svc/*+x", "BUILD ./s*+x", "BUILD $DIR+x", "FROM $DIR/$s+x", "BUILD --auto-skip ./svc+u",
        "IF true\n    DO ./svc+U\n  END"}) {
    test::TempDirectory project;
    project.file("Earthfile", std::string("VERSION 0.8\nt:\n  FROM x\n  ") + command + "\n");
    const std::string asking =
        "VERSION 0.8\nu:\n  FROM one.example/a/b+t\n  ARG EARTHLY_GIT_HASH\n  ARG USERPLATFORM\n  LOCALLY\n";
    project.file("svc/Earthfile", asking);
    project.file("svc/deep/Earthfile", asking);
    project.file(".git/Earthfile", "VERSION 0.8\nu:\n  FROM no.example/a/b+t\n");
    const auto names = look_at_project(project.path());
    EXPECT_THAT(names.hosts, ElementsAre("one.example")) << command;
    EXPECT_TRUE(names.asks_builtins) << command;
    EXPECT_TRUE(names.asks_platform) << command;
    EXPECT_TRUE(names.may_work_locally) << command;
  }
}

TEST(ProjectNames, what_another_repository_or_a_variable_asks_is_not_known_here) {
  for (const char* command : {"FROM one.example/a/b+t", "BUILD ./none/$s+x", "BUILD $DIR+x", "DO $REPO/x+F"}) {
    test::TempDirectory project;
    project.file("Earthfile", std::string("VERSION 0.8\nt:\n  FROM x\n  ") + command + "\n");
    const auto names = look_at_project(project.path());
    EXPECT_TRUE(names.asks_builtins) << command;
    EXPECT_TRUE(names.asks_platform) << command;
  }
  test::TempDirectory project;
  project.file("Earthfile", "VERSION 0.8\nt:\n  FROM x/y:$v\n  ARG v=a/b\n  BUILD +u --A=b\n  RUN a+b/c\n");
  EXPECT_FALSE(look_at_project(project.path()).asks_builtins);
  EXPECT_FALSE(look_at_project(project.path()).asks_platform);
}

TEST(ProjectNames, nothing_is_made_of_what_is_not_sure) {
  test::TempDirectory project;
  project.file(
      "Earthfile",
      "VERSION 0.8\nt:\n  FROM $HOST/a/b+t\n  FROM debian:bookworm\n  FROM registry.example/x/y:z\n"
      "  GIT CLONE https://me:token@host.example/a/b.git d\n  GIT CLONE file:///x d\n  GIT CLONE https://$H/a d\n"
      "  FROM -o.example/a/b+t\n  FROM a;b.example/a/b+t\n  FROM ../../up+t\n");
  EXPECT_THAT(look_at_project(project.path()).hosts, IsEmpty());
  project.file("Earthfile", "VERSION 0.8\nt:\n  FRMO one.example/a/b+t\n");
  EXPECT_THAT(look_at_project(project.path()).hosts, IsEmpty()) << "what does not parse is the daemon's to tell";
  EXPECT_THAT(look_at_project(project / "none").hosts, IsEmpty());
}

TEST(ProjectNames, whether_git_is_to_be_asked) {
  test::TempDirectory project;
  project.file("Earthfile", "VERSION 0.8\nt:\n  FROM x\n  BUILD ./lib+u\n");
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  FROM x\n  ARG EARTHLY_GIT_HASH\n");
  EXPECT_TRUE(look_at_project(project.path()).asks_builtins);
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  FROM x\n");
  EXPECT_FALSE(look_at_project(project.path()).asks_builtins);
}

TEST(ProjectNames, whether_something_may_be_done_locally) {
  test::TempDirectory project;
  project.file("Earthfile", "VERSION 0.8\nt:\n  FROM x\n  BUILD ./lib+u\n");
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  FROM x\n");
  EXPECT_FALSE(look_at_project(project.path()).may_work_locally);
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  LOCALLY\n");
  EXPECT_TRUE(look_at_project(project.path()).may_work_locally);
  for (const char* reference : {"./$WHERE+u", "$WHERE/x+u", "./*+u"}) {
    project.file("Earthfile", std::string("VERSION 0.8\nt:\n  FROM x\n  BUILD ") + reference + "\n");
    EXPECT_TRUE(look_at_project(project.path()).may_work_locally) << "who knows what is there: " << reference;
  }
}

TEST(ProjectNames, whether_an_ssh_agent_may_be_of_use) {
  test::TempDirectory project;
  project.file("Earthfile", "VERSION 0.8\nt:\n  FROM x/y\n  BUILD ./lib+u\n");
  project.file("lib/Earthfile", "VERSION 0.8\nu:\n  FROM x\n");
  EXPECT_FALSE(look_at_project(project.path()).may_use_ssh);
  for (const char* line : {"RUN --ssh make", "RUN --mount=id=a,type=ssh make", "GIT CLONE git@host.example:a/b d",
                           "GIT CLONE ssh://git@host.example/a/b d", "GIT CLONE https://host.example/a/b d",
                           "FROM DOCKERFILE .", "BUILD host.example/a/b+t", "BUILD ./$WHERE+u", "BUILD $WHERE/x+u"}) {
    project.file("lib/Earthfile", std::string("VERSION 0.8\nu:\n  FROM x\n  ") + line + "\n");
    EXPECT_TRUE(look_at_project(project.path()).may_use_ssh) << line;
  }
}

}  // namespace
}  // namespace ingot::client
