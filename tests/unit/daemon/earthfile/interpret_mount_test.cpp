#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = graph::Mount::Kind;
using Sharing = graph::Mount::Sharing;

std::vector<graph::Mount> mounts_of(const std::string& lines) {
  return steps_of<graph::ExecOp>(graph_of(in_target(lines))).back().mounts;
}

TEST(Mounts, of_a_run) {
  const auto mounts = mounts_of(
      "WORKDIR /w\nRUN --mount=type=cache,target=/root/.cache --mount type=tmpfs,dst=tmp "
      "--mount=type=cache,id=apt,sharing=shared,mode=0700,target=/var/cache make");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].kind, Kind::cache);
  EXPECT_EQ(mounts[0].target, "/root/.cache");
  EXPECT_EQ(mounts[0].id, "+t /root/.cache");
  EXPECT_EQ(mounts[0].sharing, Sharing::locked);
  EXPECT_EQ(mounts[1].kind, Kind::tmpfs);
  EXPECT_EQ(mounts[1].target, "/w/tmp");
  EXPECT_EQ(mounts[2].id, "apt");
  EXPECT_EQ(mounts[2].sharing, Sharing::shared);
  EXPECT_EQ(mounts[2].mode, 0700U);
}

TEST(Mounts, a_cache_is_for_every_run_below_it_in_its_target) {
  EXPECT_EQ(mounts_of("RUN a\nCACHE --sharing=private --id=mine --chmod=0777 /c\nRUN b")[0].id, "mine");
  EXPECT_EQ(mounts_of("CACHE /c\nCACHE d\nRUN b").size(), 2U);
  const auto graph =
      graph_of("VERSION 0.8\nt:\n    FROM +u\n    RUN t\nu:\n    FROM debian:bookworm\n    CACHE /c\n    RUN u\n");
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[0].mounts.size(), 1U);
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[1].mounts.size(), 0U);
}

TEST(Mounts, what_cannot_be_mounted_is_said) {
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache x")), StartsWith("Earthfile:4:9: --mount needs a target"));
  EXPECT_THAT(error_of(in_target("RUN --mount=target=/x x")), StartsWith("Earthfile:4:9: --mount needs a type"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cash,target=/x x")),
              StartsWith("Earthfile:4:9: --mount of type \"cash\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=sshd x")), StartsWith("Earthfile:4:9: --mount of type \"sshd\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache,target=/x,sharig=locked x")),
              StartsWith("Earthfile:4:9: --mount=type=cache has no \"sharig\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache,target=/x,uid=1 x")),
              StartsWith("Earthfile:4:9: --mount=type=cache has no \"uid\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=secret x")),
              StartsWith("Earthfile:4:9: --mount needs the id of a secret"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=secret,id=a,uid=app x")),
              StartsWith("Earthfile:4:9: --mount: uid takes a number, not \"app\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=secret,id=a,required=maybe x")),
              StartsWith("Earthfile:4:9: --mount: required is true or false"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=bind-experimental,source=/etc,target=/x x")),
              StartsWith("Earthfile:4:9: --mount=type=bind needs a target: files of the host are not mounted"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=bind,from=debian,target=/x x")),
              StartsWith("Earthfile:4:9: --mount=type=bind takes files of targets, not of images"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=bind,from=+none,target=/x x")),
              HasSubstr("has no target \"+none\""));
  EXPECT_THAT(
      error_of(
          "VERSION 0.8\nFROM debian:bookworm\nt:\n    RUN --mount=type=bind,from=+u/a,target=/x x\nu:\n    RUN b\n"),
      HasSubstr("+u saves no artifact"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache,target=/x,sharing=all x")),
              StartsWith("Earthfile:4:9: a cache is not shared as \"all\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=tmpfs,target=/x,target=/y x")),
              StartsWith("Earthfile:4:9: --mount has target twice"));
  EXPECT_THAT(error_of(in_target("CACHE")), StartsWith("Earthfile:4:5: CACHE takes one directory"));
  EXPECT_THAT(error_of(in_target("RUN --network=host x")), StartsWith("Earthfile:4:9: RUN --network takes none"));
}

TEST(Mounts, a_secret_is_a_file) {
  const auto mounts = mounts_of(
      "WORKDIR /w\nRUN --mount=type=secret,id=+secrets/org/key --mount=type=secret,target=.npmrc "
      "--mount=type=secret,id=k,dst=/k,mode=0440,uid=1,gid=2,required=false cat");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].kind, Kind::secret);
  EXPECT_EQ(mounts[0].id, "org/key");
  EXPECT_EQ(mounts[0].target, "/run/secrets/key");
  EXPECT_TRUE(mounts[0].required);
  EXPECT_FALSE(mounts[0].mode);
  EXPECT_EQ(mounts[1].id, ".npmrc");
  EXPECT_EQ(mounts[1].target, "/w/.npmrc");
  EXPECT_EQ(mounts[2].mode, 0440U);
  EXPECT_EQ(mounts[2].uid, 1U);
  EXPECT_EQ(mounts[2].gid, 2U);
  EXPECT_FALSE(mounts[2].required);
}

TEST(Mounts, a_secret_is_a_variable) {
  const auto secrets_of = [](const std::string& flags) {
    std::vector<std::pair<std::string, std::string>> found;
    const auto runs = steps_of<graph::ExecOp>(graph_of(in_target("ARG ID=x/y\nRUN " + flags + " cat")));
    for (const auto& secret : runs.back().secrets) found.emplace_back(secret.name, secret.id);
    return found;
  };
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(secrets_of("--secret TOKEN --secret=A=b/c --secret B=+secrets/d --secret C=$ID"),
            (Pairs{{"TOKEN", "TOKEN"}, {"A", "b/c"}, {"B", "d"}, {"C", "x/y"}}));
  EXPECT_EQ(secrets_of("--secret= --secret A= --secret A=$NONE"), Pairs()) << "how a recipe does without";
  EXPECT_EQ(error_of(in_target("RUN --secret A --secret B=+secrets/b cat", "VERSION 0.6")), "");
  EXPECT_EQ(error_of(in_target("RUN --secret A=b cat", "VERSION 0.6")),
            "Earthfile:4:9: --secret A=b needs VERSION 0.7, or VERSION --use-project-secrets\n"
            "      RUN --secret A=b cat\n          ^\nhint: write --secret A=+secrets/b");
  EXPECT_THAT(error_of(in_target("RUN --secret a/b cat")),
              StartsWith("Earthfile:4:9: --secret: \"a/b\" is no name of a variable"));
}

TEST(Mounts, an_agent_is_a_socket) {
  for (const char* flag :
       {"--ssh", "--ssh=$ON", "--mount=type=ssh", "--mount=type=ssh-experimental,id=work", "--ssh --mount=type=ssh"}) {
    const auto mounts = mounts_of("ARG ON=true\nRUN " + std::string(flag) + " git fetch");
    ASSERT_EQ(mounts.size(), 1U) << flag;
    EXPECT_EQ(mounts[0].kind, Kind::ssh);
    EXPECT_EQ(mounts[0].target, "/run/buildkit/ssh_agent.0");
    EXPECT_EQ(mounts[0].id, "") << "there is one agent";
    EXPECT_TRUE(mounts[0].required);
    EXPECT_FALSE(mounts[0].mode || mounts[0].uid || mounts[0].gid);
  }
  const auto mounts = mounts_of("WORKDIR /w\nRUN --mount=type=ssh,target=s,mode=0666,uid=7,gid=8,required=false x");
  EXPECT_EQ(mounts[0].target, "/w/s");
  EXPECT_EQ(mounts[0].mode, 0666U);
  EXPECT_EQ(mounts[0].uid, 7U);
  EXPECT_EQ(mounts[0].gid, 8U);
  EXPECT_FALSE(mounts[0].required);
  EXPECT_TRUE(mounts_of("RUN --ssh=false x").empty());
}

// It has a variable that no scope knows.
TEST(Mounts, what_asks_with_an_agent_is_asked_of_a_container) {
  for (const char* lines : {"IF --ssh [ -n \"$SSH_AUTH_SOCK\" ]\n        RUN yes\n    END",
                            "FOR --ssh x IN $SSH_AUTH_SOCK\n        RUN $x\n    END"}) {
    FakeHost host;
    const File file = parsed(in_target(lines));
    (void)interpret(file, {"+t", {}}, host);
    EXPECT_EQ(host.questions.size(), 1U) << lines;
  }
}

TEST(Mounts, files_of_another_target) {
  const auto graph = graph_of(
      "VERSION 0.8\nFROM debian:bookworm\nt:\n    RUN --mount=type=bind,from=+u,source=lib,target=/m,ro "
      "--mount=type=bind,from=+u/art/one,target=/n t\nu:\n    RUN u\n    SAVE ARTIFACT /x art/one\n");
  const auto runs = steps_of<graph::ExecOp>(graph);
  const auto& mounts = runs.back().mounts;
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].kind, Kind::bind);
  EXPECT_EQ(mounts[0].source, "/lib");
  ASSERT_TRUE(mounts[0].from && mounts[1].from);
  EXPECT_EQ(std::get<graph::ExecOp>(graph.steps[*mounts[0].from].operation).command, "u");
  EXPECT_EQ(mounts[1].source, "/art/one");
  EXPECT_NE(mounts[0].from, mounts[1].from);
}

TEST(Mounts, no_network_is_asked_of_the_step) {
  EXPECT_TRUE(steps_of<graph::ExecOp>(graph_of(in_target("RUN --network=none x")))[0].no_network);
}

}  // namespace
}  // namespace ingot::earthfile
