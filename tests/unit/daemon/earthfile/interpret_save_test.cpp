#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests

graph::SaveArtifact saved(std::string_view lines, std::string_view version = "VERSION 0.8") {
  const auto graph = graph_of(in_target(lines, version));
  return graph.artifacts.empty() ? graph::SaveArtifact{} : graph.artifacts.front();
}

struct Naming {
  const char* line;
  const char* source;
  const char* name;
  const char* local;
};

class SaveArtifact : public ::testing::TestWithParam<Naming> {};

TEST_P(SaveArtifact, is_named) {
  const auto artifact = saved(std::string("WORKDIR /w\n") + GetParam().line);
  EXPECT_EQ(artifact.source, GetParam().source);
  EXPECT_EQ(artifact.name, GetParam().name);
  EXPECT_EQ(artifact.local_path, GetParam().local);
}

INSTANTIATE_TEST_SUITE_P(Names, SaveArtifact,
                         ::testing::Values(Naming{"SAVE ARTIFACT out", "/w/out", "out", ""},
                                           Naming{"SAVE ARTIFACT a/out/", "/w/a/out", "out", ""},
                                           Naming{"SAVE ARTIFACT /output/ .", "/output", "output", ""},
                                           Naming{"SAVE ARTIFACT out \"\"", "/w/out", "out", ""},
                                           Naming{"SAVE ARTIFACT out x", "/w/out", "x", ""},
                                           Naming{"SAVE ARTIFACT out x/", "/w/out", "x/out", ""},
                                           Naming{"SAVE ARTIFACT out /x/y", "/w/out", "x/y", ""},
                                           Naming{"SAVE ARTIFACT out ../../x", "/w/out", "x", ""},
                                           Naming{"SAVE ARTIFACT . x", "/w", "x", ""},
                                           Naming{"SAVE ARTIFACT /. rootfs", "/", "rootfs", ""},
                                           Naming{"SAVE ARTIFACT a/*.iso", "/w/a/*.iso", ".", ""},
                                           Naming{"SAVE ARTIFACT a/*.iso x/", "/w/a/*.iso", "x", ""}));

INSTANTIATE_TEST_SUITE_P(Locals, SaveArtifact,
                         ::testing::Values(Naming{"SAVE ARTIFACT out AS LOCAL build/x", "/w/out", "out", "build/x"},
                                           Naming{"SAVE ARTIFACT out x AS LOCAL ./build/", "/w/out", "x", "build/x"},
                                           Naming{"SAVE ARTIFACT out AS LOCAL .", "/w/out", "out", "out"},
                                           Naming{"SAVE ARTIFACT out AS LOCAL a/../b", "/w/out", "out", "b"},
                                           Naming{"SAVE ARTIFACT out AS LOCAL ..b", "/w/out", "out", "..b"},
                                           Naming{"SAVE ARTIFACT *.iso AS LOCAL build/", "/w/*.iso", ".", "build"},
                                           Naming{"SAVE ARTIFACT *.iso AS LOCAL ./", "/w/*.iso", ".", "."}));

TEST(SaveArtifactFlags, are_kept) {
  const auto all = saved("SAVE ARTIFACT --keep-ts --keep-own --if-exists --symlink-no-follow --force a");
  EXPECT_TRUE(all.keep_ts && all.keep_own && all.if_exists && all.symlink_no_follow && all.force);
  EXPECT_EQ(all.target, "+t");
  EXPECT_EQ(all.position.line, 4);
  EXPECT_EQ(all.text, "SAVE ARTIFACT --keep-ts --keep-own --if-exists --symlink-no-follow --force a");
  const auto none = saved("SAVE ARTIFACT a");
  EXPECT_FALSE(none.keep_ts || none.if_exists || none.symlink_no_follow || none.force);
}

TEST(SaveArtifactFlags, the_owner_is_kept_from_version_0_7_on) {
  EXPECT_FALSE(saved("SAVE ARTIFACT a", "VERSION 0.6").keep_own);
  EXPECT_TRUE(saved("SAVE ARTIFACT --keep-own a", "VERSION 0.6").keep_own);
  EXPECT_TRUE(saved("SAVE ARTIFACT a", "VERSION 0.7").keep_own);
}

TEST(SaveArtifactErrors, are_told_where_they_stand) {
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT / x")),
            "Earthfile:4:19: SAVE ARTIFACT cannot save \"/\"\n      SAVE ARTIFACT / x\n                    ^\n"
            "hint: SAVE ARTIFACT /. rootfs saves the whole file system as a directory called rootfs");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT /.")),
            "Earthfile:4:19: SAVE ARTIFACT of the whole file system needs a name\n      SAVE ARTIFACT /.\n"
            "                    ^\nhint: SAVE ARTIFACT /. rootfs");
  EXPECT_EQ(
      error_of(in_target("SAVE ARTIFACT $NONE")),
      "Earthfile:4:19: SAVE ARTIFACT $NONE: this is empty here\n      SAVE ARTIFACT $NONE\n                    ^\n"
      "hint: nothing here is called NONE; declare it above, by ARG NONE=...");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT")),
            "Earthfile:4:5: SAVE ARTIFACT needs a source\n      SAVE ARTIFACT\n      ^\n"
            "hint: SAVE ARTIFACT src [name] [AS LOCAL path]");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT a b c")),
            "Earthfile:4:23: SAVE ARTIFACT takes one source and one name\n      SAVE ARTIFACT a b c\n"
            "                        ^\nhint: save each file by a line of its own, or all of them by a pattern");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT a AS b")),
            "Earthfile:4:21: AS is followed by LOCAL and a path\n      SAVE ARTIFACT a AS b\n                      ^\n"
            "hint: SAVE ARTIFACT src [name] [AS LOCAL path]");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT a AS LOCAL b c")),
            "Earthfile:4:32: AS LOCAL takes one path\n      SAVE ARTIFACT a AS LOCAL b c\n"
            "                                 ^\nhint: SAVE ARTIFACT src [name] [AS LOCAL path]");
}

TEST(SaveArtifactErrors, a_local_path_stays_in_the_project) {
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT a AS LOCAL ../x")),
            "Earthfile:4:30: AS LOCAL ../x is outside of the project directory\n      SAVE ARTIFACT a AS LOCAL ../x\n"
            "                               ^\nhint: write a path below it, such as build/");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT --force a AS LOCAL /etc/x")),
            "Earthfile:4:38: AS LOCAL /etc/x is outside of the project directory, and Ingot does not write there, "
            "--force or not\n      SAVE ARTIFACT --force a AS LOCAL /etc/x\n                                       ^\n"
            "hint: fetch it with `ingot get -o DIR` instead");
  EXPECT_EQ(error_kind_of(in_target("SAVE ARTIFACT a AS LOCAL a/../../x")), ErrorKind::denied);
  EXPECT_EQ(error_kind_of(in_target("SAVE ARTIFACT --force a AS LOCAL ..")), ErrorKind::denied);
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT a AS LOCAL $NONE")),
            "Earthfile:4:30: the path of AS LOCAL is empty here\n      SAVE ARTIFACT a AS LOCAL $NONE\n"
            "                               ^\nhint: nothing here is called NONE; declare it above, by ARG NONE=...");
  EXPECT_EQ(error_of(in_target("SAVE ARTIFACT *.x AS LOCAL b")),
            "Earthfile:4:32: AS LOCAL of a pattern needs a directory: \"b\" has no slash at its end\n"
            "      SAVE ARTIFACT *.x AS LOCAL b\n                                 ^\nhint: AS LOCAL b/");
}

}  // namespace
}  // namespace ingot::earthfile
