#include "client/render/live_layout.h"

#include <gtest/gtest.h>

#include "client/render/text.h"

namespace ingot::client {
namespace {

using std::chrono::seconds;
const std::chrono::steady_clock::time_point kStart{};

RunningStep running(const std::string& id, std::deque<std::string> last = {}) {
  return {id, "+t", "RUN " + id, kStart, std::move(last)};
}

std::string block(const std::vector<RunningStep>& steps, TerminalSize size) {
  std::string text;
  for (const auto& line : live_block(steps, size, kStart + seconds(65))) text += line + "\n";
  return text;
}

TEST(LiveBlock, a_step_has_its_time_on_the_right_and_its_last_lines_below) {
  EXPECT_EQ(block({running("a", {"one", "two"})}, {30, 24}),
            "+t RUN a                1m05s\n"
            "  one\n"
            "  two\n");
  EXPECT_EQ(block({}, {80, 24}), "");
}

TEST(LiveBlock, never_fills_the_last_column) {
  std::vector<RunningStep> steps = {running("a" + std::string(200, 'x'), {"漢字漢字漢字漢字漢字漢字漢字漢字"})};
  for (std::size_t columns : {20U, 21U, 40U, 80U}) {
    for (const auto& line : live_block(steps, {columns, 24}, kStart)) EXPECT_LE(display_width(line), columns - 1);
  }
}

TEST(LiveBlock, never_reaches_the_last_row) {
  std::vector<RunningStep> steps;
  for (int i = 0; i < 30; ++i) {
    steps.push_back(running(std::to_string(i), {"1", "2", "3", "4"}));
    for (std::size_t rows : {3U, 5U, 24U}) EXPECT_LE(live_block(steps, {80, rows}, kStart).size(), rows - 1);
  }
}

TEST(LiveBlock, output_gives_way_before_steps_do) {
  const std::vector<RunningStep> steps = {running("a", {"1", "2", "3", "4"}), running("b", {"5", "6"}), running("c")};
  EXPECT_EQ(block(steps, {20, 8}),
            "+t RUN a      1m05s\n  4\n"
            "+t RUN b      1m05s\n  6\n"
            "+t RUN c      1m05s\n");
  EXPECT_EQ(block(steps, {20, 4}), "+t RUN a      1m05s\n+t RUN b      1m05s\n+t RUN c      1m05s\n");
  EXPECT_EQ(block(steps, {20, 3}), "+t RUN a      1m05s\nand 2 more\n");
}

TEST(Justified, cuts_the_left_side_only) {
  EXPECT_EQ(justified("left", "1s", 10), "left    1s");
  EXPECT_EQ(justified("left and more", "1s", 10), "left …  1s");
  EXPECT_EQ(justified("漢字漢", "1s", 9), "漢字…  1s");
  EXPECT_EQ(justified("left", "1s", 2), "  1s");
}

TEST(RowsOf, counts_what_a_narrower_terminal_wrapped) {
  EXPECT_EQ(rows_of({79, 10, 0}, 80), 3U);
  EXPECT_EQ(rows_of({79, 10, 0}, 40), 4U);
  EXPECT_EQ(rows_of({79, 10, 0}, 20), 6U);
}

}  // namespace
}  // namespace ingot::client
