#include "daemon/base/checksum.h"

#include <gtest/gtest.h>

namespace ingot::base {
namespace {

TEST(Checksum, is_that_of_XXH3_and_does_not_depend_on_the_pieces) {
  EXPECT_EQ(Checksum().finish(), "xxh128:99aa06d3014798d86001c324468d497f") << "of nothing, as xxh128sum prints it";
  Checksum whole;
  whole.update(std::string(300'000, 'a') + "b");
  Checksum pieces;
  for (int i = 0; i < 300; ++i) pieces.update(std::string(1000, 'a'));
  pieces.update("b");
  EXPECT_EQ(pieces.finish(), whole.finish());
  whole.update("c");
  EXPECT_NE(pieces.finish(), whole.finish());
}

TEST(Checksum, goes_on_where_it_was_moved_to) {
  Checksum first;
  first.update("ab");
  Checksum second = std::move(first);
  second.update("c");
  Checksum expected;
  expected.update("abc");
  EXPECT_EQ(second.finish(), expected.finish());
}

}  // namespace
}  // namespace ingot::base
