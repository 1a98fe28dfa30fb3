#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::map<std::string, std::string> values(std::string_view text) {
  auto read = parse_dotenv(text, ".arg");
  if (read) return *read;
  ADD_FAILURE() << proto::render(read.error());
  return {};
}

std::string error(std::string_view text) {
  auto read = parse_dotenv(text, ".arg");
  return read ? "" : proto::render(read.error());
}

TEST(Dotenv, reads_keys_of_all_forms) {
  EXPECT_THAT(values("\xef\xbb\xbf# c\r\nA=1\r\n\n export B = two words \nC: yes\nD=\nE.x=\"q\""),
              ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", "yes"), Pair("D", ""), Pair("E.x", "q")));
}

TEST(Dotenv, comments_follow_white_space) {
  EXPECT_THAT(values("A=x # c\nB=a#b\nC=\"a # b\" # c\nD=#c\nE=x\t#c"),
              ElementsAre(Pair("A", "x"), Pair("B", "a#b"), Pair("C", "a # b"), Pair("D", ""), Pair("E", "x")));
}

TEST(Dotenv, quotes_are_stripped_and_escapes_read_in_double_ones) {
  EXPECT_THAT(values("A='a \\n $B'\nB=\"a\\n\\\"b\\\"\"\nC=\"\""),
              ElementsAre(Pair("A", "a \\n $B"), Pair("B", "a\n\"b\""), Pair("C", "")));
}

TEST(Dotenv, names_in_capitals_are_replaced_from_above_only) {
  EXPECT_THAT(
      values("OS=ubuntu\nREPO=$OS/${OS}\nS='$OS'\nD=\"${OS}-x\"\nU=[$LATER]\nLATER=1\nl=$os ${os} \\$OS $"),
      ElementsAre(Pair("D", "ubuntu-x"), Pair("LATER", "1"), Pair("OS", "ubuntu"), Pair("REPO", "ubuntu/ubuntu"),
                  Pair("S", "$OS"), Pair("U", "[]"), Pair("l", "$os ${os} $OS $")));
}

TEST(Dotenv, the_last_of_a_key_counts) {
  EXPECT_THAT(values("A=1\nA=2"), ElementsAre(Pair("A", "2")));
}

TEST(Dotenv, errors_have_file_and_line) {
  EXPECT_EQ(error("A=1\nnonsense here\n"),
            ".arg:2:1: this line is no NAME=value\n  nonsense here\n  ^\nhint: comments begin with \"#\"");
  EXPECT_EQ(error("A=\"x\n"), ".arg:1:1: the quote is never closed\n  A=\"x\n  ^\nhint: close it on the same line");
  EXPECT_EQ(error("  A='x' y\n"),
            ".arg:1:3: there is something behind the closing quote\n    A='x' y\n    ^\n"
            "hint: put all of the value between the quotes, or escape the inner ones: \\\"");
  EXPECT_EQ(error("A=\xff\n"), ".arg:1:1: this line is not UTF-8\n  A=?\n  ^\nhint: save the file as UTF-8");
}

TEST(Dotenv, a_value_that_feeds_on_itself_is_bounded) {
  std::string text = "A=xxxxxxxxxx\n";
  for (int i = 0; i < 60; ++i) text += "A=$A$A\n";
  EXPECT_TRUE(error(text).starts_with(".arg:15:1: this value is longer than 128.0 KiB")) << error(text).substr(0, 80);
}

}  // namespace
}  // namespace ingot::earthfile
