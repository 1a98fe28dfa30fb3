#include "daemon/earthfile/format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "daemon/earthfile/print.h"
#include "tests/support/source_directory.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

std::string formatted(const std::string& text) {
  auto done = format(text, "Earthfile");
  EXPECT_TRUE(done) << (done ? "" : proto::render(done.error().front()));
  return done.value_or("");
}

std::string sample() {
  std::ifstream file(test::source_directory() / "tests/unit/daemon/earthfile/whole_language.earth");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Format, indents_by_four_for_each_recipe_and_block) {
  EXPECT_EQ(
      formatted("VERSION 0.8\n  FROM a\nIF true\nRUN b\nEND\nt:\n\tFROM c\n  IF [ 1 = 1 ]\n RUN d\n  ELSE IF "
                "false\n WAIT\n BUILD +u\n END\n ELSE\n RUN e\n  END\nu:\n  RUN f"),
      "VERSION 0.8\nFROM a\nIF true\n    RUN b\nEND\nt:\n    FROM c\n    IF [ 1 = 1 ]\n        RUN d\n    ELSE IF "
      "false\n        WAIT\n            BUILD +u\n        END\n    ELSE\n        RUN e\n    END\nu:\n    RUN f\n");
}

TEST(Format, keeps_comments_where_they_belong_and_of_blank_lines_one) {
  EXPECT_EQ(
      formatted("\n\n# top\n\n\n\nVERSION 0.8  \n\n\n\n# doc\nt:\n  # of run\n  RUN a   # why\n\n\n  # last of t\n\n"
                "# of nobody\n\n  # doc of u\nu:\n  IF x\n  # in the block\n  END\n  # at the end\n\n\n"),
      "# top\n\nVERSION 0.8\n\n# doc\nt:\n    # of run\n    RUN a   # why\n\n    # last of t\n\n# of nobody\n\n"
      "# doc of u\nu:\n    IF x\n        # in the block\n    END\n    # at the end\n");
}

TEST(Format, lines_that_a_backslash_continues_move_with_their_first) {
  EXPECT_EQ(
      formatted("VERSION 0.8\nt:\n  RUN a && \\  \n      b && \\\n\n\n    # why c\n        c  \n\tRUN \\\nd\n"),
      "VERSION 0.8\nt:\n    RUN a && \\\n        b && \\\n\n        # why c\n          c\n    RUN \\\n        d\n");
}

TEST(Format, what_stands_in_quotes_is_left_as_it_is) {
  EXPECT_EQ(formatted("VERSION 0.8\nt:\n  RUN echo 'a  \n  b\n\n\n\tc' \\\n  d \"x \\\n   y\"\n"),
            "VERSION 0.8\nt:\n    RUN echo 'a  \n  b\n\n\n\tc' \\\n        d \"x \\\n        y\"\n");
}

TEST(Format, a_file_from_windows_comes_out_with_plain_line_ends) {
  EXPECT_EQ(formatted("\xef\xbb\xbfVERSION 0.8\r\nt:\r\n\tRUN x \\\r\n\t  y\r\n"),
            "VERSION 0.8\nt:\n    RUN x \\\n        y\n");
}

TEST(Format, tells_all_errors_of_a_file_that_does_not_parse) {
  const auto done = format("VERSION 0.8\nt:\n  FORM a\n  RUNN b\n", "Earthfile");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().size(), 2U);
}

TEST(Print, every_kind_of_command_comes_back) {
  const std::string text =
      "VERSION --try --wildcard-copy 0.8\n\n# An arg.\nARG --global X=a  b\nFROM a\n\n# Doc.\n#\n# More.\nt:\n"
      "    IF [ \"$X\" = \"1\" ]\n        RUN a\n    ELSE IF b\n        FOR x IN 1 2\n            RUN $x\n        END\n"
      "    ELSE\n        WAIT\n            BUILD +u\n        END\n    END\n    RUN 'a\n  b'\n    # what it gives\n"
      "    SAVE ARTIFACT x AS LOCAL y\n\nF:\n    FUNCTION\n    RUN f\n\nu:\n    RUN u\n";
  EXPECT_EQ(print(testing::parsed(text)), text);
}

TEST(Print, trees_differ_by_what_they_say_and_not_by_where) {
  const File one = testing::parsed("VERSION 0.8\nt:\n  RUN a b\n");
  EXPECT_TRUE(same_tree(one, testing::parsed("VERSION 0.8\n\n\nt:\n      RUN a \\\n b\n")));
  for (const char* other :
       {"VERSION 0.7\nt:\n  RUN a b\n", "VERSION --try 0.8\nt:\n  RUN a b\n", "VERSION 0.8\nu:\n  RUN a b\n",
        "VERSION 0.8\nt:\n  RUN a  b\n", "VERSION 0.8\nt:\n  RUN a c\n", "VERSION 0.8\nt:\n  ENV a b\n",
        "VERSION 0.8\n#d\nt:\n  RUN a b\n", "VERSION 0.8\nRUN a b\nt:\n  RUN a b\n",
        "VERSION 0.8\nt:\n  RUN a b\n  RUN\n"}) {
    EXPECT_FALSE(same_tree(one, testing::parsed(other))) << other;
  }
}

TEST(Print, the_comment_of_an_arg_is_part_of_the_tree) {
  const File one = testing::parsed("VERSION 0.8\nt:\n  # a\n  ARG X\n");
  EXPECT_EQ(one.targets[0].commands[0].doc, "a\n");
  EXPECT_FALSE(same_tree(one, testing::parsed("VERSION 0.8\nt:\n  # b\n  ARG X\n")));
}

// What holds for every file that parses.
void check(const std::string& text) {
  const auto file = parse(text, "Earthfile");
  if (!file) return;
  const std::string printed = print(*file);
  const auto again = parse(printed, "Earthfile");
  ASSERT_TRUE(again) << proto::render(again.error().front()) << "\n" << text << "\n--- printed\n" << printed;
  ASSERT_TRUE(same_tree(*file, *again)) << text << "\n--- printed\n" << printed;
  const auto once = format(text, "Earthfile");
  ASSERT_TRUE(once) << proto::render(once.error().front()) << "\n" << text;
  const auto twice = format(*once, "Earthfile");
  ASSERT_TRUE(twice);
  ASSERT_EQ(*once, *twice) << text;
}

TEST(Format, the_sample_of_the_whole_language_prints_and_formats_to_the_same_tree) {
  ASSERT_TRUE(parse(sample(), "Earthfile"));
  check(sample());
}

TEST(Format, any_text_that_parses_prints_and_formats_to_the_same_tree) {
  const char* given = std::getenv("INGOT_MODEL_SEED");
  const auto seed = static_cast<unsigned>(given == nullptr ? 7 : std::atoi(given));
  std::mt19937 random(seed);
  const std::string original = sample();
  const std::vector<std::string> pieces = {
      "\n", "\n",    "\n  ", "\n\t",   " ",        "  ",      "\\\n",    "\\ \n",    "\\",      "\"",
      "'",  "# c\n", " # c", "RUN a",  "\n RUN b", "\n IF x", "\n ELSE", "\n END",   "\r\n",    "\r",
      "\t", "$(",    ")",    "\nu:\n", "\n\n\n",   "x",       "\\ ",     "\n ARG y", "\n  # d", "\n# d"};
  int parsed = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = round % 3 == 0 ? original : "VERSION 0.8\nt:\n RUN a";
    const std::size_t changes = round % 3 == 0 ? 1 + random() % 3 : random() % 14;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::string& piece = pieces[random() % pieces.size()];
      if (round % 3 == 0)
        text.insert(20 + random() % (text.size() - 20), piece);
      else
        text += piece;
    }
    if (parse(text, "Earthfile")) ++parsed;
    check(text);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(parsed, 700) << "hardly a text parsed: nothing was held to anything";
}

}  // namespace
}  // namespace ingot::earthfile
