#include "daemon/sandbox/subnet.h"

#include <gtest/gtest.h>

namespace ingot::sandbox {
namespace {

TEST(Subnet, is_cut_into_pieces_of_four) {
  const Subnet subnet{0x0a010000};
  EXPECT_EQ(subnet.range(), "10.1.0.0/20");
  EXPECT_EQ(subnet.host_address(0), "10.1.0.1");
  EXPECT_EQ(subnet.step_address(0), "10.1.0.2");
  EXPECT_EQ(subnet.step_address(64), "10.1.1.2");
  EXPECT_EQ(subnet.step_address(Subnet::kSlots - 1), "10.1.15.254");
}

TEST(Subnet, the_seed_decides_where_the_search_begins) {
  EXPECT_EQ(pick_subnet("seed", {})->range(), pick_subnet("seed", {})->range());
  EXPECT_NE(pick_subnet("seed", {})->range(), pick_subnet("tree", {})->range());
}

TEST(Subnet, avoids_what_the_host_uses) {
  const Subnet free = *pick_subnet("seed", {});
  const Subnet next = *pick_subnet("seed", {{free.address + 17, 0xffffff00}});
  EXPECT_NE(next.range(), free.range());
  EXPECT_NE(pick_subnet("seed", {{free.address + 4, 0xfffffffc}, {next.address, 0xfffff000}})->range(), next.range());
  EXPECT_GE(pick_subnet("seed", {{0x0a000000, 0xff800000}})->address, 0x0a800000U) << "half of 10/8 is in use";
}

TEST(Subnet, another_private_range_when_one_is_full) {
  const UsedRange ten{0x0a000000, 0xff000000};
  EXPECT_EQ(pick_subnet("seed", {ten})->address >> 20U, 0xac1U);
  const UsedRange twelve{0xac100000, 0xfff00000};
  EXPECT_EQ(pick_subnet("seed", {ten, twelve})->address >> 16U, 0xc0a8U);
  const UsedRange home{0xc0a80000, 0xffff0000};
  EXPECT_EQ(pick_subnet("seed", {ten, twelve, home})->address >> 17U, 0xc612U >> 1U);
  EXPECT_FALSE(pick_subnet("seed", {ten, twelve, home, {0xc6120000, 0xfffe0000}}));
}

}  // namespace
}  // namespace ingot::sandbox
