#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;
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
  EXPECT_THAT(error_of(in_target("RUN --mount=type=secret,target=/x x")),
              StartsWith("Earthfile:4:9: --mount=type=secret is not understood"));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache,target=/x,sharig=locked x")),
              StartsWith("Earthfile:4:9: --mount has no \"sharig\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=cache,target=/x,sharing=all x")),
              StartsWith("Earthfile:4:9: a cache is not shared as \"all\""));
  EXPECT_THAT(error_of(in_target("RUN --mount=type=tmpfs,target=/x,target=/y x")),
              StartsWith("Earthfile:4:9: --mount has target twice"));
  EXPECT_THAT(error_of(in_target("CACHE")), StartsWith("Earthfile:4:5: CACHE takes one directory"));
  EXPECT_THAT(error_of(in_target("RUN --network=host x")), StartsWith("Earthfile:4:9: RUN --network takes none"));
}

TEST(Mounts, no_network_is_asked_of_the_step) {
  EXPECT_TRUE(steps_of<graph::ExecOp>(graph_of(in_target("RUN --network=none x")))[0].no_network);
}

}  // namespace
}  // namespace ingot::earthfile
