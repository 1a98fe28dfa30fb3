#include "daemon/text/source.h"

#include <gtest/gtest.h>

namespace ingot::text {
namespace {

TEST(Source, columns_count_characters_not_bytes) {
  const Source source("a\nRUN echo häß x\n", "Earthfile");
  const auto position = source.position(source.text().find('x'));
  EXPECT_EQ(position.line, 2);
  EXPECT_EQ(position.column, 14);
  EXPECT_EQ(position.source_line, "RUN echo häß x");
}

TEST(Source, the_shown_line_is_fit_for_a_terminal_and_for_json) {
  const Source source("RUN \x1b[31m \xff\ttab\r\n", "Earthfile");
  EXPECT_EQ(source.position(0).source_line, "RUN ?[31m ?\ttab");
}

TEST(Source, a_place_far_to_the_right_shows_no_line) {
  const Source source(std::string(5000, 'x'), "Earthfile");
  EXPECT_EQ(source.position(4000).source_line, "");
  EXPECT_EQ(source.position(4000).column, 4001);
  EXPECT_EQ(source.position(3).source_line.size(), 400U);
}

TEST(Source, a_long_line_is_not_cut_within_a_character) {
  const Source source("xx" + std::string(398, 'x').substr(1) + "ää", "Earthfile");
  EXPECT_EQ(source.position(0).source_line.size(), 399U);
}

TEST(Source, drops_a_byte_order_mark_and_takes_offsets_beyond_the_end) {
  const Source source("\xef\xbb\xbfVERSION", "Earthfile");
  EXPECT_EQ(source.text(), "VERSION");
  EXPECT_EQ(source.position(100).column, 8);
  EXPECT_EQ(Place{}.position().line, 0);
}

}  // namespace
}  // namespace ingot::text
