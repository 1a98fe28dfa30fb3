#include "daemon/earthfile/parser.h"

#include <gmock/gmock.h>

#include "daemon/earthfile/language.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using ::testing::ElementsAre;
using testing::parsed;
using testing::syntax_errors;

TEST(Parser, reads_version_base_targets_and_their_comments) {
  const File file = parsed(
      "# A file.\n\nVERSION --try 0.7\nFROM debian:bookworm\n\n# Builds it.\n# Long.\nbuild:\n    RUN make\n"
      "\n# not this\n\ntest-all.x:\n\tRUN test # yes\n");
  EXPECT_EQ(file.version, "0.7");
  EXPECT_THAT(file.features, ElementsAre("try"));
  ASSERT_EQ(file.base.size(), 1U);
  EXPECT_EQ(file.base[0].text(), "FROM debian:bookworm");
  EXPECT_THAT(target_names(file), ElementsAre("build", "test-all.x"));
  EXPECT_EQ(file.targets[0].doc, "Builds it.\nLong.\n");
  EXPECT_EQ(file.targets[1].doc, "");
  EXPECT_EQ(file.targets[1].commands[0].text(), "RUN test");
}

TEST(Parser, takes_crlf_tabs_a_byte_order_mark_and_no_newline_at_the_end) {
  const File file = parsed("\xef\xbb\xbfVERSION 0.8\r\nt:\r\n\tFROM a\r\n\tRUN x \\\r\n\t  y");
  EXPECT_EQ(file.targets[0].commands[0].arguments, "a");
  EXPECT_EQ(file.targets[0].commands[1].arguments, "x y");
  EXPECT_EQ(file.targets[0].commands[1].place.position().source_line, "\tRUN x \\");
}

TEST(Parser, commands_of_two_words) {
  const File file = parsed("VERSION 0.8\nt:\n  SAVE  ARTIFACT  a b\n  FROM DOCKERFILE .\n");
  EXPECT_EQ(file.targets[0].commands[0].name, "SAVE ARTIFACT");
  EXPECT_EQ(file.targets[0].commands[0].arguments, "a b");
  EXPECT_EQ(file.targets[0].commands[0].words[1].begin, 2U);
  EXPECT_EQ(file.targets[0].commands[1].name, "FROM DOCKERFILE");
}

TEST(Parser, an_argument_knows_its_place_across_lines) {
  const File file = parsed("VERSION 0.8\nARG X=a \\\n    bc\n");
  const Command& command = file.base[0];
  EXPECT_EQ(command.arguments, "X=a bc");
  EXPECT_EQ(command.place_of(2).position().column, 7);
  EXPECT_EQ(command.place_of(5).position().line, 3);
  EXPECT_EQ(command.place_of(5).position().column, 6);
  EXPECT_EQ(command.rest_from(1).text, "bc");
  EXPECT_EQ(command.rest_from(2).text, "");
}

TEST(Parser, blocks_are_nested) {
  const File file = parsed(
      "VERSION 0.8\nt:\n  IF a\n    FOR x IN y\n      RUN 1\n    END\n  ELSE IF b\n    RUN 2\n  ELSE\n    RUN 3\n  "
      "END\n"
      "  RUN 4\n");
  ASSERT_EQ(file.targets[0].commands.size(), 2U);
  const Command& block = file.targets[0].commands[0];
  EXPECT_EQ(block.body[0].name, "FOR");
  EXPECT_EQ(block.body[0].body[0].text(), "RUN 1");
  ASSERT_EQ(block.alternatives.size(), 2U);
  EXPECT_EQ(block.alternatives[0].text(), "ELSE IF b");
  EXPECT_EQ(block.alternatives[0].body[0].text(), "RUN 2");
  EXPECT_EQ(block.alternatives[1].body[0].text(), "RUN 3");
  EXPECT_EQ(file.targets[0].commands[1].text(), "RUN 4");
}

TEST(Parser, functions_are_no_targets) {
  const File file = parsed("VERSION 0.8\nSETUP_1:\n  FUNCTION\n  RUN a\nt:\n  DO +SETUP_1\n");
  EXPECT_THAT(target_names(file), ElementsAre("t"));
  EXPECT_EQ(file.functions[0].name, "SETUP_1");
  EXPECT_EQ(file.functions[0].commands[0].name, "FUNCTION");
}

TEST(Parser, several_errors_are_told_at_once_in_the_order_of_their_lines) {
  EXPECT_EQ(syntax_errors("VERSION 0.8\nt:\n  FROM a\n  RNU make\n  IF x\n  COPPY a b\nu:\n"),
            "Earthfile:4:3: there is no command \"RNU\"\n    RNU make\n    ^\nhint: did you mean \"RUN\"?\n\n"
            "Earthfile:5:3: IF has no END\n    IF x\n    ^\nhint: add END behind its last command\n\n"
            "Earthfile:6:3: there is no command \"COPPY\"\n    COPPY a b\n    ^\nhint: did you mean \"COPY\"?");
}

TEST(Parser, the_first_command_is_version) {
  EXPECT_EQ(syntax_errors("FROM debian\n"),
            "Earthfile:1:1: the first command of an Earthfile must be VERSION\n  FROM debian\n  ^\n"
            "hint: add the line VERSION 0.8 above it");
  EXPECT_EQ(syntax_errors("# nothing\n"),
            "Earthfile:1:1: the Earthfile is empty\n  # nothing\n  ^\nhint: begin it with the line VERSION 0.8");
  EXPECT_EQ(syntax_errors(""), "Earthfile:1:1: the Earthfile is empty\nhint: begin it with the line VERSION 0.8");
}

struct Case {
  const char* text;
  const char* rendered;
};

class ParserErrors : public ::testing::TestWithParam<Case> {};

TEST_P(ParserErrors, are_told_with_place_and_cure) {
  EXPECT_EQ(syntax_errors(GetParam().text), GetParam().rendered);
}

INSTANTIATE_TEST_SUITE_P(
    Version, ParserErrors,
    ::testing::Values(
        Case{"VERSION\n", "Earthfile:1:1: VERSION needs a version\n  VERSION\n  ^\nhint: such as VERSION 0.8"},
        Case{"VERSION 0.5\n",
             "Earthfile:1:9: \"0.5\" is no Earthfile version that Ingot knows\n  VERSION 0.5\n          ^\n"
             "hint: 0.6, 0.7 and 0.8 are"},
        Case{"VERSION 0.8 0.7\n",
             "Earthfile:1:13: VERSION takes one version\n  VERSION 0.8 0.7\n              ^\n"
             "hint: flags come before it, with \"--\""},
        Case{"VERSION 0.8 --try\n",
             "Earthfile:1:13: the flags of VERSION come before the version\n  VERSION 0.8 --try\n              "
             "^\nhint: write VERSION --try 0.8"},
        Case{"VERSION --try=false 0.8\n",
             "Earthfile:1:9: a feature flag of VERSION can only be turned on\n  VERSION --try=false 0.8\n          ^\n"
             "hint: leave out --try=false"},
        Case{"VERSION --arg-scope-set 0.7\n",
             "Earthfile:1:9: VERSION knows no flag --arg-scope-set\n  VERSION --arg-scope-set 0.7\n          ^\n"
             "hint: did you mean \"--arg-scope-and-set\"?"},
        Case{"VERSION --arg-scope-and-set 0.6\n",
             "Earthfile:1:1: --arg-scope-and-set needs --shell-out-anywhere\n  VERSION --arg-scope-and-set 0.6\n  ^\n"
             "hint: write VERSION --arg-scope-and-set --shell-out-anywhere 0.6"},
        Case{"VERSION 0.8\nVERSION 0.8\n",
             "Earthfile:2:1: VERSION may stand only once, as the first command\n  VERSION 0.8\n  ^\nhint: remove this "
             "one"}));

INSTANTIATE_TEST_SUITE_P(
    Targets, ParserErrors,
    ::testing::Values(
        Case{"VERSION 0.8\nbase:\n",
             "Earthfile:2:1: the name \"base\" is taken: it is the commands above the first target\n  base:\n  "
             "^\nhint: give the target another name"},
        Case{"VERSION 0.8\nBuild:\n",
             "Earthfile:2:1: \"Build\" is no name for a target\n  Build:\n  ^\n"
             "hint: letters, digits, \"-\", \"_\" and \".\", beginning with a small letter"},
        Case{"VERSION 0.8\na:\nb:\na:\n",
             "Earthfile:4:1: there is a target \"a\" already, in line 2\n  a:\n  ^\nhint: give one of them another "
             "name"},
        Case{"VERSION 0.8\na:\n  FROM x\n  b:\n",
             "Earthfile:4:3: a target begins at the start of its line\n    b:\n    ^\n"
             "hint: remove the white space before it"},
        Case{"VERSION 0.8\na:\nRUN x\n",
             "Earthfile:3:1: the commands of \"a\" must be indented\n  RUN x\n  ^\nhint: put white space before RUN"},
        Case{"VERSION 0.8\nbuild-it: FROM x\n",
             "Earthfile:2:1: there is no command \"build-it:\"\n  build-it: FROM x\n  ^\n"
             "hint: a target is its name and \":\", alone on a line"},
        Case{"VERSION 0.8\nSAVE x\n",
             "Earthfile:2:1: there is no command \"SAVE\"\n  SAVE x\n  ^\nhint: SAVE ARTIFACT and SAVE IMAGE are "
             "commands"},
        Case{"VERSION 0.8\nrun x\n",
             "Earthfile:2:1: there is no command \"run\"\n  run x\n  ^\nhint: did you mean \"RUN\"?"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, ParserErrors,
    ::testing::Values(
        Case{"VERSION 0.8\nF:\n",
             "Earthfile:2:1: the function F has no commands\n  F:\n  ^\nhint: it begins with FUNCTION"},
        Case{"VERSION 0.8\nF:\n  RUN a\n",
             "Earthfile:3:3: the function F begins with FUNCTION, not RUN\n    RUN a\n    ^\n"
             "hint: put FUNCTION above it; a target's name is in small letters"},
        Case{"VERSION 0.8\nF:\n  COMMAND\n",
             "Earthfile:3:3: functions of VERSION 0.8 begin with FUNCTION, not COMMAND\n    COMMAND\n    ^\n"
             "hint: write FUNCTION"},
        Case{"VERSION 0.7\nF:\n  FUNCTION\n",
             "Earthfile:3:3: functions of VERSION 0.7 begin with COMMAND, not FUNCTION\n    FUNCTION\n    ^\n"
             "hint: write COMMAND"},
        Case{"VERSION 0.8\nt:\n  FUNCTION\n",
             "Earthfile:3:3: FUNCTION may only be the first command of a function\n    FUNCTION\n    ^\n"
             "hint: a function's name is in capital letters, such as SETUP:"}));

INSTANTIATE_TEST_SUITE_P(
    Blocks, ParserErrors,
    ::testing::Values(
        Case{"VERSION 0.8\nt:\n  END\n",
             "Earthfile:3:3: this END closes nothing\n    END\n    ^\n"
             "hint: remove it, or add the IF, FOR, WAIT, TRY or WITH DOCKER that it belongs to"},
        Case{"VERSION 0.8\nt:\n  IF a\n  END IF\n",
             "Earthfile:4:7: END stands alone on its line\n    END IF\n        ^\nhint: remove what follows it"},
        Case{"VERSION 0.8\nt:\n  ELSE\n",
             "Earthfile:3:3: ELSE stands in no IF\n    ELSE\n    ^\nhint: ELSE belongs between IF and its END"},
        Case{"VERSION 0.8\nt:\n  IF a\n  WAIT\n  ELSE\n  END\n  END\n",
             "Earthfile:5:3: ELSE stands in no IF: the innermost open block is WAIT in line 4\n    ELSE\n    ^\n"
             "hint: ELSE belongs between IF and its END"},
        Case{"VERSION 0.8\nt:\n  IF a\n  ELSE\n  ELSE IF b\n  END\n",
             "Earthfile:5:3: ELSE IF stands behind the ELSE of the same IF\n    ELSE IF b\n    ^\n"
             "hint: ELSE comes last, once"},
        Case{"VERSION 0.8\nt:\n  CATCH\n",
             "Earthfile:3:3: CATCH stands in no TRY\n    CATCH\n    ^\nhint: CATCH belongs between TRY and its END"}));

INSTANTIATE_TEST_SUITE_P(Text, ParserErrors,
                         ::testing::Values(Case{"VERSION 0.8\nt:\n  RUN a \xff\n",
                                                "Earthfile:3:9: this word is not UTF-8\n    RUN a ?\n          ^\n"
                                                "hint: save the Earthfile as UTF-8"},
                                           Case{
                                               "VERSION 0.8\nt:\n  RUN \"a\n",
                                               "Earthfile:3:7: this quote is never closed: \"\n    RUN \"a\n        ^\n"
                                               "hint: close it, or write \\\" for the character itself"}));

TEST(Parser, a_nul_byte_is_refused) {
  EXPECT_EQ(syntax_errors(std::string_view("VERSION 0.8\nRUN a\0b\n", 19)),
            "Earthfile:2:5: this word holds a NUL byte\n  RUN a?b\n      ^\n"
            "hint: an Earthfile is text; check how it was written");
}

TEST(Parser, a_comment_may_hold_any_bytes) {
  EXPECT_EQ(syntax_errors("VERSION 0.8\n# \xff\xfe\nt:\n"), "");
}

TEST(Parser, errors_size_and_nesting_are_bounded) {
  std::string many = "VERSION 0.8\n";
  for (int i = 0; i < 1000; ++i) many += "NONSENSE\n";
  EXPECT_EQ(parse(many, "Earthfile").error().size(), 20U);

  auto large = parse(std::string((8U << 20) + 1, 'x'), "Earthfile");
  EXPECT_EQ(proto::render(large.error().front()),
            "Earthfile: the Earthfile is larger than 8.0 MiB\nhint: keep data in files of their own, and COPY them");
  EXPECT_EQ(large.error().front().kind, ErrorKind::too_large);

  std::string deep = "VERSION 0.8\nt:\n";
  for (int i = 0; i < 50'000; ++i) deep += " IF a\n";
  for (int i = 0; i < 50'000; ++i) deep += " END\n";
  EXPECT_EQ(syntax_errors(deep),
            "Earthfile:103:2: blocks are nested deeper than 100\n   IF a\n   ^\n"
            "hint: move the inner ones into a target of their own");
}

TEST(Parser, many_targets_take_no_quadratic_time) {
  std::string many = "VERSION 0.8\n";
  for (int i = 0; i < 20'000; ++i) many += "t" + std::to_string(i) + ":\n";
  EXPECT_EQ(parsed(many).targets.size(), 20'000U);
}

TEST(File, features_come_by_version_or_by_flag) {
  EXPECT_FALSE(parsed("VERSION 0.6\n").has("explicit-global"));
  EXPECT_TRUE(parsed("VERSION --explicit-global 0.6\n").has("explicit-global"));
  EXPECT_TRUE(parsed("VERSION 0.7\n").has("explicit-global"));
  EXPECT_FALSE(parsed("VERSION 0.7\n").has("arg-scope-and-set"));
  EXPECT_TRUE(parsed("VERSION 0.8\n").has("arg-scope-and-set"));
  EXPECT_FALSE(parsed("VERSION 0.8\n").has("try"));
  EXPECT_TRUE(parsed("VERSION --try=true 0.8\n").has("try"));
  EXPECT_TRUE(parsed("VERSION --arg-scope-and-set --shell-out-anywhere 0.6\n").has("arg-scope-and-set"));
}

TEST(Language, every_command_is_told_from_its_name_and_refused_ones_say_what_to_do) {
  for (const auto& command : commands()) {
    EXPECT_EQ(find_command(command.name), &command);
    const bool refused = command.state == CommandInfo::State::rejected;
    EXPECT_EQ(refused, !command.hint.empty()) << command.name;
    if (!command.feature.empty()) {
      EXPECT_NE(find_feature(command.feature), nullptr) << command.name;
    }
  }
  EXPECT_EQ(how_to_get("try"), "needs VERSION --try");
  EXPECT_EQ(how_to_get("wait-block"), "needs VERSION 0.7, or VERSION --wait-block");
}

}  // namespace
}  // namespace ingot::earthfile
