#include "daemon/earthfile/lint.h"

#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "3 unused-arg: nothing in t uses ARG X", one for each finding.
std::vector<std::string> found(const std::string& text, const Surroundings& around = {}) {
  const File file = testing::parsed(text);
  std::vector<std::string> lines;
  for (const auto& finding : lint(file, around)) {
    EXPECT_TRUE(finding.error.position);
    lines.push_back(std::to_string(finding.error.position->line) + " " + finding.rule + ": " + finding.error.message);
  }
  return lines;
}

std::vector<std::string> of_condition(const std::string& condition) {
  return found("VERSION 0.8\nt:\n  FROM a\n  ARG X\n  IF " + condition + "\n    RUN $X\n  END\n");
}

TEST(Lint, finds_nothing_in_a_good_file) {
  EXPECT_THAT(
      found("VERSION 0.8\nARG --global A=1\nIMPORT ./lib\nt:\n  FROM a\n  ARG X\n  ARG DEBIAN_FRONTEND=no\n"
            "  ARG Y=$X\n  IF [ \"$Y\" = x ] && [ -n \"$A\" ]\n    DO +F --Y\n  END\n  COPY +u/x (+u/y --Q=1) /\n"
            "  BUILD --platform linux/amd64 +u\n  FROM lib+x\nu:\n  FROM +base\nF:\n  FUNCTION\n  RUN x\n"),
      IsEmpty());
}

TEST(Lint, an_arg_that_nothing_mentions) {
  EXPECT_THAT(found("VERSION 0.8\nARG --global G\nARG L\nt:\n  FROM a\n  ARG X=1\n  ARG XY\n  RUN echo ${XY}\n"
                    "u:\n  FROM a\n  RUN echo $X $L\n"),
              ElementsAre("2 unused-arg: nothing in this file uses ARG G",
                          "3 unused-arg: nothing in the commands above the first target uses ARG L",
                          "6 unused-arg: nothing in t uses ARG X"));
}

TEST(Lint, a_secret_that_is_the_default_of_an_arg) {
  EXPECT_THAT(found("VERSION 0.8\nt:\n  FROM a\n  ARG DB_PASSWORD=hunter2\n  ARG API_KEY=\"abc\"\n  ARG TOKEN\n"
                    "  ARG KEY_FILE=x\n  ARG SSH_KEY=/etc/key\n  ARG MONKEY=x\n  ARG A_TOKEN=$TOKEN\n"
                    "  RUN $DB_PASSWORD $API_KEY $TOKEN $KEY_FILE $SSH_KEY $MONKEY $A_TOKEN\n"),
              ElementsAre(HasSubstr("4 secret-in-arg: ARG DB_PASSWORD"), HasSubstr("5 secret-in-arg: ARG API_KEY")));
}

TEST(Lint, references_to_what_is_not_there) {
  const File lib = testing::parsed("VERSION 0.8\nx:\n  FROM a\nG:\n  FUNCTION\n  RUN x\n");
  Surroundings around;
  around.other = [&](const std::string& directory) { return directory == "./lib" ? &lib : nullptr; };
  EXPECT_THAT(
      found("VERSION 0.8\nIMPORT ./lib AS l\nt:\n  FROM +nothing\n  COPY +ut/x (+tu/y --A=1) .\n  DO +t\n"
            "  BUILD l+y\n  DO l+G\n  BUILD ./lib+x\n  BUILD ./other+x\n  BUILD m+x\n  FROM +$X\n"
            "  COPY a+b.txt .\n  BUILD github.com/x/y+z\n",
            around),
      ElementsAre("4 missing-reference: Earthfile has no target nothing",
                  "5 missing-reference: Earthfile has no target ut", "5 missing-reference: Earthfile has no target tu",
                  "6 missing-reference: Earthfile has no function t", "7 missing-reference: Earthfile has no target y",
                  "10 missing-reference: ./other has no Earthfile that can be read",
                  "11 missing-reference: nothing is imported as m"));
}

TEST(Lint, a_function_that_nobody_calls) {
  const std::string function = "F:\n  FUNCTION\n  RUN x\n";
  EXPECT_THAT(found("VERSION 0.8\n" + function + "t:\n  FROM a\n"),
              ElementsAre("2 uncalled-function: nothing in this file calls the function F"));
  EXPECT_THAT(found("VERSION 0.8\n" + function), IsEmpty()) << "a file without targets is there for others";
}

TEST(Lint, a_flag_that_the_version_has) {
  EXPECT_THAT(found("VERSION --shell-out-anywhere --try 0.8\nt:\n  FROM a\n"),
              ElementsAre("1 needless-flag: VERSION 0.8 has shell-out-anywhere without the flag"));
  EXPECT_THAT(found("VERSION --arg-scope-and-set --shell-out-anywhere 0.6\nt:\n  FROM a\n"), IsEmpty());
}

TEST(Lint, what_is_no_platform) {
  EXPECT_THAT(found("VERSION 0.8\nt:\n  FROM --platform=linux/amd46 a\n  COPY --platform linux/x64 +u/f /\n"
                    "  BUILD --platform=linux/arm64 --platform=native --platform=$P --platform= --platform=x/y +u\n"
                    "  RUN --push --platform=what\nu:\n  FROM a\n"),
              ElementsAre("3 no-platform: \"linux/amd46\" is no platform",
                          "4 no-platform: \"linux/x64\" is no platform", "5 no-platform: \"x/y\" is no platform"));
}

TEST(Lint, conditions_that_are_never_true) {
  for (const char* condition :
       {"[ !-n \"$X\" ]", "[ -y \"$X\" ]", "[ \"$X\" === \"a\" ]", "[ X = a ]", "[ \"a\" != a ]", "[ -z X ]",
        "[ -n \"\" ]", "[ -n \"$X\" ] && [ a = b ]", "--no-cache [ a = b ]"}) {
    EXPECT_THAT(of_condition(condition), ElementsAre(HasSubstr("5 false-condition: "))) << condition;
  }
}

TEST(Lint, a_bracket_that_is_part_of_a_word) {
  EXPECT_THAT(of_condition("[ !-n \"$X\"]"), ElementsAre(HasSubstr("5 false-condition: this ] closes nothing")));
}

// An unquoted variable may be nothing or several words, and then the test is another one.
TEST(Lint, conditions_that_may_be_true) {
  for (const char* condition :
       {"[ !-n $X ]", "[ $X = a ]", "[ X$X = a ]", "[ -n \"$X\" ]", "[ ! -n \"$X\" ]", "[ a = b ] || [ \"$X\" = c ]",
        "[ -n X ]", "[ -z \"\" ]", "[ a = a ]", "[ \"$X\" = \"a\" -o \"$X\" = b ]", "[[ X == a ]]", "test a = b", "$X",
        "[ -f /etc/os-release ]", "[ \"$X\" -eq 1 ]", "! [ a = b ]", "[ \"$X\" ]", "[ ! \"$X\" ]",
        "[ \"$@\" \"$X\" ]"}) {
    EXPECT_THAT(of_condition(condition), IsEmpty()) << condition;
  }
}

TEST(Lint, a_copy_of_what_is_ignored) {
  Surroundings around;
  around.ignored = [](const std::string& path) { return path == "dist/x"; };
  EXPECT_THAT(
      found("VERSION 0.8\nt:\n  FROM a\n  COPY --chown root ./dist/x y /\n  COPY +t/dist/x .\n  COPY $A/dist/x .\n",
            around),
      ElementsAre("4 ignored-copy: COPY takes ./dist/x, and .earthlyignore keeps it out"));
}

}  // namespace
}  // namespace ingot::earthfile
