#include "client/render/text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace ingot::client {
namespace {

TEST(DisplayWidth, counts_cells_and_not_bytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("grüße"), 5U);
  EXPECT_EQ(display_width("漢字"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U) << "a combining mark takes no cell";
  EXPECT_EQ(display_width(""), 0U);
}

TEST(CutToWidth, never_cuts_a_character_nor_grows) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to_width("grüße", 4), "grü…");
  EXPECT_EQ(cut_to_width("漢字漢字", 8), "漢字漢字");
  EXPECT_EQ(cut_to_width("漢字漢字", 7), "漢字漢…");
  EXPECT_EQ(cut_to_width("漢字漢字", 6), "漢字…") << "a wide character does not fit into one cell";
  EXPECT_EQ(cut_to_width("abc", 1), "…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(CleanOutput, takes_what_drives_a_terminal_away) {
  EXPECT_EQ(clean_output("plain\ttext"), "plain\ttext");
  EXPECT_EQ(clean_output("\033[1;31mred\033[0m"), "red");
  EXPECT_EQ(clean_output("\033[2J\033[Hgone"), "gone");
  EXPECT_EQ(clean_output("\033]0;title\aafter"), "after");
  EXPECT_EQ(clean_output("\033]8;;http://x\033\\link\033]8;;\033\\"), "link");
  EXPECT_EQ(clean_output("\033(Bcharset\033=key"), "charsetkey");
  EXPECT_EQ(clean_output("cut \033[3"), "cut ");
  EXPECT_EQ(clean_output("cut \033"), "cut ");
  EXPECT_EQ(clean_output("bell\a back\b"), "bell\\x07 back\\x08");
}

TEST(CleanOutput, keeps_the_last_state_of_a_line_that_is_written_over) {
  EXPECT_EQ(clean_output(" 10%\r 50%\r100%"), "100%");
  EXPECT_EQ(clean_output(" 10%\r100%\r"), "100%");
  EXPECT_EQ(clean_output("100%\r\033[K"), "100%");
  EXPECT_EQ(clean_output("dos line\r"), "dos line");
}

TEST(Visible, shows_control_characters_and_bytes_that_are_no_text) {
  EXPECT_EQ(visible("grüße 漢字"), "grüße 漢字");
  EXPECT_EQ(visible("a\nb"), "a\\x0ab");
  EXPECT_EQ(visible_lines("a\nb\033"), "a\nb\\x1b");
  EXPECT_EQ(visible("\xff\xfe!"), "\\xff\\xfe!");
  EXPECT_EQ(visible("cut \xe6\xbc"), "cut \\xe6\\xbc");
  EXPECT_EQ(visible("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m")
      << "CSI of the second set of control characters";
  EXPECT_EQ(visible("\xc2\xa0"), "\xc2\xa0");
  EXPECT_EQ(visible(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
}

TEST(LogPrefix, is_twenty_columns_and_a_bar) {
  EXPECT_EQ(log_prefix("+iso"), "                +iso | ");
  EXPECT_EQ(log_prefix("+a-target-of-more-than-twenty"), "+a-target-of-more-than-twenty | ");
  EXPECT_EQ(log_prefix("+\033x"), "              +\\x1bx | ");
}

TEST(HumanTime, is_local_and_nothing_for_never) {
  EXPECT_EQ(human_time(0), "-");
  setenv("TZ", "UTC0", 1);
  tzset();
  EXPECT_EQ(human_time(1'234'567'890'999), "2009-02-13 23:31:30");
}

TEST(Style, paints_only_when_asked) {
  EXPECT_EQ(Style{false}.red("x"), "x");
  EXPECT_EQ(Style{true}.red("x"), "\033[31mx\033[0m");
}

}  // namespace
}  // namespace ingot::client
