#include "client/fetch/parallel_hasher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ingot::client {
namespace {

TEST(ParallelHasher, hashes_what_was_given_in_its_order) {
  ParallelHasher hasher;
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    Block block = hasher.take();
    EXPECT_EQ(block.size, 0U);
    const std::string text = std::to_string(i) + std::string(static_cast<std::size_t>(i), 'x');
    std::copy(text.begin(), text.end(), block.bytes.begin());
    block.size = text.size();
    all += text;
    hasher.give(std::move(block));
  }
  EXPECT_EQ(hasher.finish(), base::Digest::of(all));
}

TEST(ParallelHasher, of_nothing_is_the_digest_of_nothing) {
  ParallelHasher hasher;
  EXPECT_EQ(hasher.finish(), base::Digest::of(""));
}

TEST(ParallelHasher, can_be_dropped_half_way) {
  ParallelHasher hasher;
  for (int i = 0; i < 100; ++i) {
    Block block = hasher.take();
    block.size = block.bytes.size();
    hasher.give(std::move(block));
  }
}

}  // namespace
}  // namespace ingot::client
