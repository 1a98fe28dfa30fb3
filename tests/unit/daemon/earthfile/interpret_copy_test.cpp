#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::StartsWith;

graph::CopyOp copy_of(std::string_view lines) {
  return steps_of<graph::CopyOp>(graph_of(in_target(lines))).at(0);
}

TEST(Copy, sources_and_destination) {
  const auto op = copy_of("WORKDIR /work\nARG D=dest\nCOPY a \"b c\" *.txt $D/x/");
  EXPECT_THAT(op.sources, ElementsAre("a", "b c", "*.txt"));
  EXPECT_EQ(op.destination, "/work/dest/x");
  EXPECT_TRUE(op.destination_is_directory);
}

TEST(Copy, the_destination_is_a_directory_when_written_as_one) {
  EXPECT_FALSE(copy_of("COPY a /b").destination_is_directory);
  EXPECT_EQ(copy_of("COPY a /b").destination, "/b");
  for (const char* line : {"COPY a .", "COPY a ./", "COPY a b/.", "COPY a /"}) {
    EXPECT_TRUE(copy_of(line).destination_is_directory) << line;
  }
}

TEST(Copy, flags) {
  const auto plain = copy_of("COPY a b");
  EXPECT_FALSE(plain.dir || plain.if_exists || plain.keep_ts || plain.keep_own || plain.symlink_no_follow);
  EXPECT_EQ(plain.chown, "");
  EXPECT_FALSE(plain.chmod);
  const auto all = copy_of(
      "COPY --dir --if-exists --keep-ts --keep-own --symlink-no-follow --chown=u:g --chmod 0755 --allow-privileged a "
      "b");
  EXPECT_TRUE(all.dir && all.if_exists && all.keep_ts && all.keep_own && all.symlink_no_follow);
  EXPECT_EQ(all.chown, "u:g");
  EXPECT_EQ(all.chmod, 0755U);
}

TEST(Copy, the_owner_is_the_user_unless_said_otherwise) {
  EXPECT_EQ(copy_of("USER build\nCOPY a b").chown, "build");
  EXPECT_EQ(copy_of("USER build\nCOPY --chown=x a b").chown, "x");
}

TEST(Copy, an_absolute_source_counts_from_the_project_and_a_plus_may_be_part_of_a_name) {
  EXPECT_THAT(copy_of("COPY /a/b /x").sources, ElementsAre("a/b"));
  EXPECT_THAT(copy_of("COPY / /x").sources, ElementsAre("."));
  EXPECT_THAT(copy_of("COPY c++ \\+t/a ..b x/").sources, ElementsAre("c++", "+t/a", "..b"));
}

TEST(Copy, errors) {
  EXPECT_EQ(error_of(in_target("COPY a")),
            "Earthfile:4:5: COPY needs a source and a destination\n      COPY a\n      ^\n"
            "hint: such as COPY overlay/ /overlay/");
  EXPECT_EQ(error_of(in_target("COPY --from=x a b")),
            "Earthfile:4:10: there is no COPY --from\n      COPY --from=x a b\n           ^\n"
            "hint: another target's files are copied by COPY +target/path dest");
  EXPECT_EQ(error_of(in_target("COPY --chmod=rwx a b")),
            "Earthfile:4:10: --chmod takes an octal mode, not \"rwx\"\n      COPY --chmod=rwx a b\n           ^\n"
            "hint: such as --chmod=0755");
  EXPECT_EQ(error_of(in_target("COPY a ../x/../../b c")),
            "Earthfile:4:12: COPY cannot take \"../x/../../b\": it is outside of the project\n"
            "      COPY a ../x/../../b c\n             ^\nhint: COPY reads below the directory of the Earthfile only");
  EXPECT_EQ(error_of(in_target("COPY $NONE b")),
            "Earthfile:4:10: COPY $NONE: this source is empty here\n      COPY $NONE b\n           ^\n"
            "hint: give the variable a value, or write \".\" for the whole project");
  EXPECT_EQ(error_of(in_target("COPY --kep-ts a b")),
            "Earthfile:4:10: COPY has no flag --kep-ts\n      COPY --kep-ts a b\n           ^\n"
            "hint: did you mean \"--keep-ts\"?");
}

TEST(Copy, artifacts_of_targets_are_refused_for_now) {
  for (const char* source : {"+u/x", "./d+u/x", "(+u/x --A=1)", "$T"}) {
    EXPECT_THAT(error_of(in_target(std::string("ARG T=+u/x\nCOPY ") + source + " y")),
                StartsWith("Earthfile:5:10: COPY of another target's artifact is not understood"))
        << source;
  }
}

}  // namespace
}  // namespace ingot::earthfile
