#include <gmock/gmock.h>

#include "daemon/earthfile/builtins.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr const char* kCanvos = "VERSION --arg-scope-and-set --shell-out-anywhere 0.6";

// What the last RUN of the target sees as X.
std::string x_of(std::string_view lines, const std::map<std::string, std::string>& overrides = {},
                 std::string_view version = "VERSION 0.8") {
  return seen_by_run(graph_of(in_target(std::string(lines) + "\nRUN x", version), "+t", overrides), "X");
}

std::string x_with_base(std::string_view base, std::string_view lines, std::string_view version,
                        const std::map<std::string, std::string>& overrides = {}) {
  const std::string target = in_target(std::string(lines) + "\nRUN x", "");
  return seen_by_run(graph_of(std::string(version) + "\n" + std::string(base) + target, "+t", overrides), "X");
}

TEST(Arg, the_value_is_the_override_or_the_default_or_empty) {
  EXPECT_EQ(x_of("ARG X=d"), "d");
  EXPECT_EQ(x_of("ARG X"), "");
  EXPECT_EQ(x_of("ARG X=d", {{"X", "o"}}), "o");
  EXPECT_EQ(x_of("ARG X=d", {{"X", ""}}), "");
  EXPECT_EQ(x_of("ENV Y=1", {{"X", "o"}}), "(unset)");
}

TEST(Arg, values_keep_inner_spaces_and_expand) {
  EXPECT_EQ(x_of("ARG X=a  b"), "a  b");
  EXPECT_EQ(x_of("ARG X = a b"), "a b");
  EXPECT_EQ(x_of("ARG Y=y\nARG X=\"$Y  '\" '$Y'"), "y  ' $Y");
  EXPECT_EQ(x_of("ARG X=a=b"), "a=b");
  EXPECT_EQ(x_of("ARG X=${Y:-none}"), "none");
  EXPECT_EQ(x_of("ARG X="), "");
}

TEST(Arg, a_bare_one_in_a_target_hides_a_global) {
  for (const char* version : {"VERSION 0.8", kCanvos}) {
    const char* base = std::string_view(version) == kCanvos ? "ARG X=g\n" : "ARG --global X=g\n";
    EXPECT_EQ(x_with_base(base, "ENV Y=1", version), "g");
    EXPECT_EQ(x_with_base(base, "ARG X", version), "");
    EXPECT_EQ(x_with_base(base, "ARG X=own", version), "own");
    EXPECT_EQ(x_with_base(base, "ARG X", version, {{"X", "o"}}), "o");
  }
}

TEST(Arg, by_the_older_rule_an_existing_value_wins_over_a_default) {
  for (const char* version : {"VERSION 0.6", "VERSION --explicit-global 0.6", "VERSION 0.7"}) {
    const char* base = std::string_view(version) == "VERSION 0.6" ? "ARG X=g\n" : "ARG --global X=g\n";
    EXPECT_EQ(x_with_base(base, "ARG X=own", version), "g") << version;
    EXPECT_EQ(x_with_base(base, "ARG X", version), "g") << version;
    EXPECT_EQ(x_with_base(base, "ARG X=own", version, {{"X", "o"}}), "o") << version;
  }
  EXPECT_EQ(x_of("ARG X=1\nARG X=2", {}, "VERSION 0.7"), "1");
}

TEST(Arg, of_the_base_recipe_is_global_by_itself_only_before_explicit_global) {
  EXPECT_EQ(x_with_base("ARG X=g\n", "ENV Y=1", "VERSION 0.6"), "g");
  EXPECT_EQ(x_with_base("ARG X=g\n", "ENV Y=1", "VERSION 0.7"), "(unset)");
  EXPECT_EQ(x_with_base("ARG X=g\n", "ENV Y=1", "VERSION 0.8"), "(unset)");
}

TEST(Arg, the_base_recipe_sees_overrides) {
  EXPECT_EQ(x_with_base("ARG --global X=g\n", "ENV Y=1", "VERSION 0.8", {{"X", "o"}}), "o");
}

TEST(Lookup, let_over_arg_over_env_over_global) {
  EXPECT_EQ(x_of("ENV X=e\nARG X=a\nLET X=l"), "l");
  EXPECT_EQ(x_of("ARG X=a\nENV X=e"), "a");
  EXPECT_EQ(x_with_base("ARG --global X=g\n", "ENV X=e", "VERSION 0.8"), "e");
  // A base image's own ENV beats a global of the same name.
  EXPECT_EQ(
      seen_by_run(
          graph_of("VERSION 0.8\nARG --global LANG=g\nt:\n    FROM debian:bookworm\n    ENV E=$LANG\n    RUN x\n"),
          "E"),
      "C.UTF-8");
}

TEST(Lookup, path_and_home_are_never_empty) {
  const std::string text =
      "VERSION 0.8\nt:\n    FROM scratch\n    ENV P=$PATH:/x\n    ENV H=$HOME\n    USER me\n"
      "    ENV I=[$HOME]\n    RUN x\n";
  EXPECT_EQ(seen_by_run(graph_of(text), "P"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/x");
  EXPECT_EQ(seen_by_run(graph_of(text), "H"), "/root");
  EXPECT_EQ(seen_by_run(graph_of(text), "I"), "[]");
  EXPECT_EQ(x_of("ENV X=$PATH:/x"), "/image/bin:/x");
}

TEST(Let, is_set_and_changed) {
  EXPECT_EQ(x_of("LET X=a b\nSET X=\"$X c\""), "a b c");
  EXPECT_EQ(x_of("ARG X=a\nLET X=$X$X"), "aa");
}

TEST(Env, both_forms) {
  EXPECT_EQ(x_of("ENV X=a  b"), "a  b");
  EXPECT_EQ(x_of("ENV X a  b"), "a  b");
  EXPECT_EQ(x_of("ENV X = a"), "a");
  EXPECT_EQ(x_of("ENV X"), "");
  EXPECT_EQ(x_of("ENV X=1\nENV X=$X/2"), "1/2");
}

TEST(Builtins, are_known_once_declared_and_cannot_be_overridden) {
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG TARGETOS\nRUN x")), "TARGETOS"), "linux");
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG EARTHLY_TARGET_NAME\nRUN x")), "EARTHLY_TARGET_NAME"), "t");
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG EARTHLY_TARGET\nRUN x")), "EARTHLY_TARGET"), "+t");
  EXPECT_EQ(seen_by_run(graph_of(in_target("RUN x")), "TARGETOS"), "(unset)");
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG TARGETPLATFORM\nRUN x"), "+t", {{"TARGETPLATFORM", "a/b"}}),
                        "TARGETPLATFORM"),
            base::native_platform().text());
}

TEST(Builtins, those_of_git_are_empty_outside_of_a_repository) {
  auto result = interpreted(in_target("ARG EARTHLY_GIT_HASH\nRUN x"));
  EXPECT_EQ(seen_by_run(result->graph, "EARTHLY_GIT_HASH"), "");
  EXPECT_TRUE(result->warnings.empty());
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG EARTHLY_TARGET_TAG_DOCKER\nRUN x")), "EARTHLY_TARGET_TAG_DOCKER"),
            "latest");
  EXPECT_EQ(seen_by_run(graph_of(in_target("ARG EARTHLY_SOURCE_DATE_EPOCH\nRUN x")), "EARTHLY_SOURCE_DATE_EPOCH"), "0");
}

TEST(VariableErrors, arg) {
  EXPECT_EQ(error_of(in_target("ARG --required X")),
            "Earthfile:4:20: ARG X is required and has no value\n      ARG --required X\n                     ^\n"
            "hint: give it: --X=value behind the target, or X=value in .arg");
  EXPECT_EQ(error_of(in_target("ARG --required K8S_VERSION"), "+t", {{"K8s_VERSION", "1"}}),
            "Earthfile:4:20: ARG K8S_VERSION is required and has no value\n      ARG --required K8S_VERSION\n"
            "                     ^\nhint: of what was given, did you mean \"K8s_VERSION\"?");
  EXPECT_THAT(error_of(in_target("ARG --required X"), "+t", {{"X", ""}}),
              StartsWith("Earthfile:4:20: ARG X is required and has no value"));
  EXPECT_EQ(error_of(in_target("ARG --required X"), "+t", {{"X", "1"}}), "");
  EXPECT_EQ(error_of(in_target("ARG --required X=1")),
            "Earthfile:4:22: a required ARG has no default\n      ARG --required X=1\n                       ^\n"
            "hint: leave out either --required or the default");
  EXPECT_EQ(error_of(in_target("ARG --global X")),
            "Earthfile:4:9: ARG --global may stand only above the first target\n      ARG --global X\n          ^\n"
            "hint: leave out --global, or move the line up there");
  EXPECT_EQ(error_of(in_target("RUN x", std::string(kCanvos) + "\nARG --global X")),
            "Earthfile:2:5: ARG --global needs VERSION 0.7, or VERSION --explicit-global\n  ARG --global X\n      ^\n"
            "  in +base\nhint: leave it out: here every ARG above the first target is global");
  EXPECT_EQ(error_of(in_target("ARG X=1\nARG X=2")),
            "Earthfile:5:9: ARG X is declared in this recipe already\n      ARG X=2\n          ^\n"
            "hint: an ARG keeps its value; for one that changes write LET, then SET");
  EXPECT_EQ(
      error_of(in_target("ARG TARGETARCH=arm64")),
      "Earthfile:4:9: ARG cannot give TARGETARCH a value: it is built in\n      ARG TARGETARCH=arm64\n          ^\n"
      "hint: write ARG TARGETARCH to use its value, or take another name");
  EXPECT_EQ(error_of(in_target("ARG X y")),
            "Earthfile:4:11: ARG X is followed by \"=\" and its value\n      ARG X y\n            ^\nhint: ARG X=y");
  EXPECT_EQ(error_of(in_target("ARG 2X=y")),
            "Earthfile:4:9: ARG needs a name of letters, digits and \"_\", not \"2X\"\n      ARG 2X=y\n          ^\n"
            "hint: ARG NAME=value");
  EXPECT_EQ(error_of(in_target("ARG")),
            "Earthfile:4:5: ARG needs a name of letters, digits and \"_\"\n      ARG\n      ^\nhint: ARG NAME=value");
  EXPECT_EQ(
      error_of(in_target("ARG X=ab ${Y")),
      "Earthfile:4:14: \"${\" is never closed\n      ARG X=ab ${Y\n               ^\nhint: add the missing \"}\"");
  EXPECT_EQ(error_of(in_target("ARG --requird X")),
            "Earthfile:4:9: ARG has no flag --requird\n      ARG --requird X\n          ^\n"
            "hint: did you mean \"--required\"?");
}

TEST(VariableErrors, let_and_set) {
  EXPECT_EQ(error_of(in_target("LET X=1\nLET X=2")),
            "Earthfile:5:9: LET X is declared in this recipe already\n      LET X=2\n          ^\nhint: SET X=... "
            "changes it");
  EXPECT_EQ(error_of(in_target("LET X")), "Earthfile:4:5: LET needs a value\n      LET X\n      ^\nhint: LET X=value");
  EXPECT_EQ(error_of(in_target("LET VALUE=1\nSET VALUR=2")),
            "Earthfile:5:9: SET changes a LET, and there is no LET VALUR\n      SET VALUR=2\n          ^\n"
            "hint: did you mean \"VALUE\"?");
  EXPECT_EQ(error_of(in_target("ARG X=1\nSET X=2")),
            "Earthfile:5:9: SET changes a LET, and there is no LET X\n      SET X=2\n          ^\n"
            "hint: write LET X=$X above it: an ARG keeps its value");
  EXPECT_THAT(error_of(in_target("LET TARGETARCH=x")), StartsWith("Earthfile:4:9: LET cannot give TARGETARCH a value"));
}

}  // namespace
}  // namespace ingot::earthfile
