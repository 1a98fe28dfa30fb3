#include "daemon/base/ignore.h"

#include <gtest/gtest.h>

namespace ingot::base {
namespace {

bool ignored(const std::string& rules, const std::string& path) {
  return IgnoreRules::parse(rules).ignores(path);
}

TEST(IgnoreRules, a_name_is_meant_from_the_top_and_takes_what_is_below) {
  EXPECT_TRUE(ignored("build", "build"));
  EXPECT_TRUE(ignored("build", "build/a/b"));
  EXPECT_TRUE(ignored("/build/", "build/a"));
  EXPECT_TRUE(ignored("./build", "build"));
  EXPECT_TRUE(ignored("x/../build", "build"));
  EXPECT_FALSE(ignored("build", "src/build"));
  EXPECT_FALSE(ignored("build", "builds"));
}

TEST(IgnoreRules, stars_stop_at_slashes_and_two_do_not) {
  EXPECT_TRUE(ignored("*.iso", "a.iso"));
  EXPECT_FALSE(ignored("*.iso", "d/a.iso"));
  EXPECT_TRUE(ignored("*/a", "d/a"));
  EXPECT_TRUE(ignored("**/*.iso", "a.iso"));
  EXPECT_TRUE(ignored("**/*.iso", "d/e/a.iso"));
  EXPECT_TRUE(ignored("d/**", "d/e/f"));
  EXPECT_FALSE(ignored("d/**", "d"));
  EXPECT_TRUE(ignored("a/**/z", "a/z"));
  EXPECT_TRUE(ignored("a/**/z", "a/b/c/z"));
  EXPECT_TRUE(ignored("file?", "file1"));
  EXPECT_TRUE(ignored("[a-c]", "b"));
}

TEST(IgnoreRules, two_stars_inside_of_a_name_cross_directories) {
  EXPECT_TRUE(ignored("**.iso", "a.iso"));
  EXPECT_TRUE(ignored("**.iso", "d/e/a.iso"));
  EXPECT_TRUE(ignored("a**z", "abz"));
  EXPECT_TRUE(ignored("a**z", "ab/c/yz"));
  EXPECT_FALSE(ignored("a**z", "b/z"));
  EXPECT_TRUE(ignored("d/a**", "d/ab/c"));
}

TEST(IgnoreRules, the_last_pattern_that_matches_decides) {
  const std::string rules = "*\n!keep\n!dir/file\nkeep/not\n";
  EXPECT_TRUE(ignored(rules, "other"));
  EXPECT_FALSE(ignored(rules, "keep"));
  EXPECT_FALSE(ignored(rules, "keep/all"));
  EXPECT_TRUE(ignored(rules, "keep/not"));
  EXPECT_TRUE(ignored(rules, "dir"));
  EXPECT_FALSE(ignored(rules, "dir/file"));
}

TEST(IgnoreRules, comments_blanks_and_line_ends_are_no_patterns) {
  const std::string rules = "\xef\xbb\xbf# a comment\r\n\r\n  a  \r\n!\n/\n.\n";
  EXPECT_TRUE(ignored(rules, "a"));
  EXPECT_FALSE(ignored(rules, "b"));
  EXPECT_FALSE(ignored(rules, "# a comment"));
}

TEST(IgnoreRules, patterns_are_seen_from_above_too) {
  const auto lines = IgnoreRules::lines_below("# no\n*.o\n ! keep.o\n/x/\n\n", "a*b/c");
  EXPECT_EQ(lines, (std::vector<std::string>{"a\\*b/c/*.o", "!a\\*b/c/keep.o", "a\\*b/c//x/"}));
  EXPECT_EQ(IgnoreRules::lines_below("a", ""), std::vector<std::string>{"a"});
}

TEST(IgnoreRules, many_stars_take_no_more_time_than_few) {
  std::string stars;
  std::string path;
  for (int i = 0; i < 200; ++i) {
    stars += "**/a/";
    path += "a/";
  }
  EXPECT_FALSE(ignored(stars + "b", path + "a"));
  EXPECT_TRUE(ignored(stars + "a", path + path + "a"));
  std::string within = "x";
  for (int i = 0; i < 200; ++i) within += "**x";
  EXPECT_FALSE(ignored(within, "y"));
}

TEST(IgnoreRules, an_ignored_directory_is_entered_only_for_what_may_come_back) {
  const auto rules = IgnoreRules::parse("*\n!a/b/keep\n!x*/y\n");
  EXPECT_TRUE(rules.may_bring_back_below("a"));
  EXPECT_TRUE(rules.may_bring_back_below("a/b"));
  EXPECT_FALSE(rules.may_bring_back_below("a/c"));
  EXPECT_FALSE(rules.may_bring_back_below("b"));
  EXPECT_TRUE(rules.may_bring_back_below("xyz"));
  EXPECT_TRUE(IgnoreRules::parse("*\n!**/k").may_bring_back_below("any/where"));
  EXPECT_FALSE(IgnoreRules::parse("*\n").may_bring_back_below("a"));
}

}  // namespace
}  // namespace ingot::base
