#include "daemon/store/leases.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ingot::store {
namespace {

TEST(Leases, every_copy_holds_and_the_last_lets_go) {
  auto table = std::make_shared<LeaseTable>();
  auto lease = table->take(7);
  auto copy = lease;
  EXPECT_TRUE(copy);
  EXPECT_EQ(copy.id(), 7);
  lease = {};
  EXPECT_FALSE(lease);
  EXPECT_TRUE(table->held(7));
  copy = table->take(8);
  EXPECT_FALSE(table->held(7));
  EXPECT_EQ(table->held(), std::vector<SnapshotId>{8});
}

TEST(Leases, outlive_their_table) {
  Lease lease;
  {
    auto table = std::make_shared<LeaseTable>();
    lease = table->take(1);
  }
  EXPECT_TRUE(lease);
  lease = {};
}

TEST(Leases, many_threads) {
  auto table = std::make_shared<LeaseTable>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        auto lease = table->take(i % 5);
        EXPECT_TRUE(table->held(i % 5));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(table->held().empty());
}

}  // namespace
}  // namespace ingot::store
