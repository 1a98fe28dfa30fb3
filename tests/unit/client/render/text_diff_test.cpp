#include "client/render/text_diff.h"

#include <gtest/gtest.h>

namespace ingot::client {
namespace {

std::string numbers(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST(TextDiff, equal_texts_do_not_differ) {
  EXPECT_EQ(text_diff("a\nb\n", "a\nb\n", "f"), "");
}

TEST(TextDiff, shows_three_lines_around_a_change) {
  std::string after = numbers(1, 20);
  after.replace(after.find("10\n"), 3, "ten\nand more\n");
  EXPECT_EQ(text_diff(numbers(1, 20), after, "f"),
            "--- f\n+++ f\n@@ -7,7 +7,8 @@\n 7\n 8\n 9\n-10\n+ten\n+and more\n 11\n 12\n 13\n");
}

TEST(TextDiff, changes_that_are_near_share_a_hunk_and_others_do_not) {
  std::string after = numbers(1, 30);
  after.replace(after.find("\n4\n"), 3, "\nfour\n");
  after.replace(after.find("\n10\n"), 4, "\n");
  after.replace(after.find("\n25\n"), 4, "\n25\n25b\n");
  EXPECT_EQ(text_diff(numbers(1, 30), after, "f"),
            "--- f\n+++ f\n@@ -1,13 +1,12 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n 8\n 9\n-10\n 11\n 12\n 13\n"
            "@@ -23,6 +22,7 @@\n 23\n 24\n 25\n+25b\n 26\n 27\n 28\n");
}

TEST(TextDiff, a_line_break_at_the_end_that_is_missing) {
  EXPECT_EQ(text_diff("a", "a\n", "f"), "--- f\n+++ f\n(only the line break at the end of the file differs)\n");
}

}  // namespace
}  // namespace ingot::client
