#include "daemon/solver/cache_mounts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/temp.h"

namespace ingot::solver {
namespace {

using Sharing = graph::Mount::Sharing;

class CacheMountsTest : public testing::Test {
 protected:
  static graph::Mount mount(const std::string& id, Sharing sharing) {
    graph::Mount made;
    made.id = id;
    made.sharing = sharing;
    return made;
  }
  test::TempDirectory directory;
  CacheMounts caches{directory / "caches"};
};

TEST_F(CacheMountsTest, the_same_id_is_the_same_directory_again) {
  const auto first = caches.acquire(mount("a", Sharing::locked), {})->path;
  directory.file("caches/" + first.filename().string() + "/kept", "x");
  EXPECT_EQ(caches.acquire(mount("a", Sharing::locked), {})->path, first);
  EXPECT_TRUE(fs::exists(first / "kept"));
  EXPECT_NE(caches.acquire(mount("b/../../x", Sharing::locked), {})->path, first);
}

TEST_F(CacheMountsTest, a_locked_one_is_waited_for) {
  auto held = *caches.acquire(mount("a", Sharing::locked), {});
  std::atomic<bool> got = false;
  std::thread waiter([&] {
    auto second = caches.acquire(mount("a", Sharing::locked), {});
    got = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(got);
  held.until.reset();
  waiter.join();
  EXPECT_TRUE(got);
}

TEST_F(CacheMountsTest, a_shared_one_is_everybodys_and_a_private_one_nobody_elses) {
  const auto one = *caches.acquire(mount("a", Sharing::shared), {});
  const auto two = *caches.acquire(mount("a", Sharing::shared), {});
  EXPECT_EQ(one.path, two.path);
  auto mine = *caches.acquire(mount("p", Sharing::private_), {});
  const auto yours = *caches.acquire(mount("p", Sharing::private_), {});
  EXPECT_NE(mine.path, yours.path);
  const auto freed = mine.path;
  mine.until.reset();
  EXPECT_EQ(caches.acquire(mount("p", Sharing::private_), {})->path, freed);
}

TEST_F(CacheMountsTest, one_that_is_canceled_while_it_waits_goes) {
  const auto held = *caches.acquire(mount("a", Sharing::locked), {});
  sys::CancelSource cancel;
  cancel.cancel();
  EXPECT_EQ(caches.acquire(mount("a", Sharing::locked), cancel.token()).error().kind, ErrorKind::canceled);
}

}  // namespace
}  // namespace ingot::solver
