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
            "hint: nothing here is called NONE; declare it above, by ARG NONE=...; \".\" is the whole project");
  EXPECT_EQ(error_of(in_target("COPY --kep-ts a b")),
            "Earthfile:4:10: COPY has no flag --kep-ts\n      COPY --kep-ts a b\n           ^\n"
            "hint: did you mean \"--keep-ts\"?");
}

// Two targets: +u saves, +t copies with the given line.
std::string copying(const std::string& line, const std::string& saves = "SAVE ARTIFACT out/x") {
  return "VERSION 0.8\nt:\n    FROM debian:bookworm\n    " + line + "\nu:\n    FROM debian:bookworm\n    ARG A=1\n" +
         "    RUN make $A\n    " + saves + "\n";
}

TEST(Copy, another_targets_artifact_comes_from_its_own_file_system) {
  const auto graph = graph_of(copying("COPY +u/x /here/"));
  const auto copies = steps_of<graph::CopyOp>(graph);
  ASSERT_EQ(copies.size(), 2U);
  EXPECT_EQ(copies[0].sources, std::vector<std::string>{"/out/x"});
  EXPECT_EQ(copies[0].destination, "/x");
  EXPECT_TRUE(std::holds_alternative<graph::ExecOp>(graph.steps.at(*copies[0].from).operation));
  EXPECT_EQ(copies[1].sources, std::vector<std::string>{"/x"});
  EXPECT_EQ(copies[1].destination, "/here");
  EXPECT_EQ(std::get<graph::CopyOp>(graph.steps.at(*copies[1].from).operation).destination, "/x");
  EXPECT_THAT(graph.artifacts, ::testing::IsEmpty()) << "what is copied is not handed out";
}

TEST(Copy, artifacts_have_the_names_that_they_were_saved_under) {
  const auto saved = [](const std::string& line) {
    return steps_of<graph::CopyOp>(graph_of(copying("COPY +u/* /here/", line)))[0];
  };
  EXPECT_EQ(saved("SAVE ARTIFACT out/x /a/b").destination, "/a/b");
  EXPECT_EQ(saved("SAVE ARTIFACT out/x a/").destination, "/a/x");
  EXPECT_EQ(saved("SAVE ARTIFACT out/*").destination, "/");
  EXPECT_TRUE(saved("SAVE ARTIFACT out/*").destination_is_directory);
  EXPECT_EQ(saved("SAVE ARTIFACT out/* all/").destination, "/all");
  EXPECT_TRUE(saved("SAVE ARTIFACT --keep-ts out/x").keep_ts);
}

TEST(Copy, arguments_go_to_the_target_that_is_copied_from) {
  for (const char* line : {"COPY (+u/x --A=2) /", "COPY --build-arg A=2 +u/x /", "COPY --build-arg=A=2 +u/x /",
                           "COPY ( +u/x --A 2 ) /", "COPY (+u/x --A=\"2\") /"}) {
    EXPECT_EQ(steps_of<graph::ExecOp>(graph_of(copying(line)))[0].env.back().second, "2") << line;
  }
  const auto both = graph_of(copying("COPY (+u/x --A=2) (+u/x --A=3) /all"));
  EXPECT_EQ(steps_of<graph::ExecOp>(both).size(), 2U);
  EXPECT_TRUE(steps_of<graph::CopyOp>(both).back().destination_is_directory);
}

TEST(Copy, quoted_arguments_may_have_spaces_and_parentheses) {
  const auto graph = graph_of(copying("COPY (+u/x --A=\"a ) b\") /"));
  EXPECT_EQ(steps_of<graph::ExecOp>(graph)[0].env.back().second, "a ) b");
}

TEST(Copy, parentheses_and_quotes_within_arguments_end_nothing) {
  const auto value = [](const std::string& line) {
    return steps_of<graph::ExecOp>(graph_of(copying(line)))[0].env.back().second;
  };
  EXPECT_EQ(value("COPY (+u/x --A='x)' --A=\"y\") /"), "y");
  EXPECT_EQ(value("COPY (+u/x --A=f(1) --A=z) /"), "z");
  EXPECT_EQ(value("COPY (+u/x --A=\"(\") /"), "(");
  EXPECT_EQ(value("COPY (+u/x --A=a\\)) /"), "a)");
  EXPECT_EQ(value("COPY (+u/x --A=1) (+u/x --A=2) /all"), "1");
}

TEST(Copy, the_ignore_file_of_another_directory_counts_there) {
  FakeHost host;
  host.files = {{"lib/Earthfile", "VERSION 0.8\na:\n    FROM debian:bookworm\n    COPY . /\n"},
                {"lib/.earthlyignore", "*.log\n!keep.log\n"}};
  const File file = parsed("VERSION 0.8\nt:\n    FROM ./lib+a\n    COPY . /here\n");
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  const auto copies = steps_of<graph::CopyOp>(result->graph);
  EXPECT_THAT(copies.at(0).excluded, ElementsAre("lib/*.log", "!lib/keep.log"));
  EXPECT_TRUE(copies.at(1).excluded.empty()) << "of the project's own, the client sends nothing";
  host.files["lib/.earthignore"] = "";
  auto refused = interpret(file, {"+t", {}}, host);
  ASSERT_FALSE(refused);
  EXPECT_EQ(proto::render(refused.error()),
            "lib/Earthfile:4:5: there is a file .earthignore in lib\n      COPY . /\n      ^\n  in ./lib+a\n"
            "hint: rename it to .earthlyignore");
}

TEST(Copy, what_cannot_be_copied_of_a_target_is_said) {
  EXPECT_THAT(error_of(copying("COPY +u/x /", "RUN true")), StartsWith("Earthfile:4:10: +u saves no artifact"));
  EXPECT_EQ(error_of(copying("COPY --if-exists +u/x /", "RUN true")), "");
  EXPECT_THAT(error_of(copying("COPY +u /")),
              StartsWith("Earthfile:4:10: \"+u\" names a target, and no artifact of it"));
  EXPECT_THAT(error_of(copying("COPY +u/x y /")), StartsWith("Earthfile:4:5: one COPY cannot take both"));
  EXPECT_THAT(error_of(copying("COPY (+u/x --A=2 /")), StartsWith("Earthfile:4:10: this parenthesis is not closed"));
  EXPECT_THAT(error_of(copying("COPY ./d+u/x /")), StartsWith("Earthfile:4:10: the project has no d/Earthfile"));
  EXPECT_THAT(error_of(copying("COPY +v/x /")), StartsWith("Earthfile:4:10: Earthfile has no target \"+v\""));
  EXPECT_THAT(error_of(copying("COPY +t/x /")), ::testing::HasSubstr("+t stands on itself"));
}

}  // namespace
}  // namespace ingot::earthfile
