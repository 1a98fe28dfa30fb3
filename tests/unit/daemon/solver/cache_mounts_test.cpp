#include "daemon/solver/cache_mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::solver {
namespace {

using Sharing = graph::Mount::Sharing;
using testing::ElementsAre;
using testing::IsEmpty;

class CacheMountsTest : public testing::Test {
 protected:
  static graph::Mount mount(const std::string& id, Sharing sharing) {
    graph::Mount made;
    made.id = id;
    made.sharing = sharing;
    return made;
  }
  // What a step did in its cache a minute after the last one.
  std::string used(const std::string& id, std::size_t bytes, Sharing sharing = Sharing::locked) {
    clock.advance(std::chrono::minutes(1));
    const auto held = *caches.acquire(mount(id, sharing), {});
    std::ofstream(held.path / "kept") << std::string(bytes, 'x');
    return held.path.filename();
  }
  std::vector<std::string> unused(CacheMounts& mounts) {
    std::vector<std::string> names;
    for (const auto& thing : mounts.unused()) names.push_back(thing.name);
    return names;
  }

  test::TempDirectory directory;
  test::FakeClock clock;
  CacheMounts caches{directory / "caches", clock};
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

TEST_F(CacheMountsTest, what_nobody_uses_can_be_removed_and_begins_anew) {
  const std::string name = used("a", 100'000);
  caches.measure();
  EXPECT_GE(caches.bytes(), 100'000U);
  EXPECT_EQ(caches.count(), 1U);
  EXPECT_TRUE(*caches.remove(name));
  EXPECT_EQ(caches.bytes(), 0U);
  EXPECT_EQ(caches.count(), 0U);
  EXPECT_FALSE(*caches.remove(name)) << "once";
  EXPECT_FALSE(*caches.remove("trash"));
  for (const auto& entry : fs::recursive_directory_iterator(directory / "caches")) {
    EXPECT_EQ(entry.path().filename(), "trash") << "nothing else is left";
  }
  const auto again = *caches.acquire(mount("a", Sharing::locked), {});
  EXPECT_EQ(again.path.filename(), name);
  EXPECT_FALSE(fs::exists(again.path / "kept"));
}

TEST_F(CacheMountsTest, what_a_step_uses_is_never_removed) {
  for (const Sharing sharing : {Sharing::shared, Sharing::locked, Sharing::private_}) {
    const std::string name = used("a", 10, sharing);
    auto held = *caches.acquire(mount("a", sharing), {});
    EXPECT_THAT(unused(caches), IsEmpty());
    EXPECT_FALSE(*caches.remove(name));
    EXPECT_TRUE(fs::exists(held.path / "kept"));
    held.until.reset();
    EXPECT_THAT(unused(caches), ElementsAre(name));
  }
}

TEST_F(CacheMountsTest, the_last_use_is_known_to_the_next_daemon) {
  const std::string first = used("a", 10);
  const std::string second = used("b", 20'000);
  clock.advance(std::chrono::minutes(1));
  CacheMounts later(directory / "caches", clock);
  const auto things = later.unused();
  ASSERT_EQ(things.size(), 2U);
  std::map<std::string, store::Collectable::Thing> by_name;
  for (const auto& thing : things) by_name[thing.name] = thing;
  EXPECT_EQ(by_name.at(first).used_ms, clock.unix_ms() - 120'000);
  EXPECT_EQ(by_name.at(second).used_ms, clock.unix_ms() - 60'000);
  EXPECT_GE(by_name.at(second).bytes, 20'000U);
  EXPECT_EQ(later.bytes(), by_name.at(first).bytes + by_name.at(second).bytes);
}

TEST_F(CacheMountsTest, what_was_being_removed_when_a_daemon_died_goes) {
  const std::string name = used("a", 10);
  directory.file("caches/trash/1/x", "x");
  CacheMounts later(directory / "caches", clock);
  EXPECT_THAT(unused(later), ElementsAre(name));
  EXPECT_FALSE(fs::exists(directory / "caches/trash"));
}

TEST_F(CacheMountsTest, removing_and_using_at_once_never_takes_a_directory_from_a_step) {
  std::atomic<bool> done = false;
  std::thread remover([&] {
    while (!done) {
      for (const auto& thing : caches.unused()) EXPECT_TRUE(caches.remove(thing.name));
    }
  });
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&, user] {
      for (int i = 0; i < 200; ++i) {
        const auto sharing = user % 2 == 0 ? Sharing::shared : Sharing::private_;
        auto held = caches.acquire(mount("id" + std::to_string(user % 2), sharing), {});
        ASSERT_TRUE(held);
        const auto file = held->path / std::to_string(user);
        std::ofstream(file) << "x";
        std::this_thread::yield();
        EXPECT_TRUE(fs::exists(file));
      }
    });
  }
  for (auto& user : users) user.join();
  done = true;
  remover.join();
  for (const auto& thing : caches.unused()) EXPECT_TRUE(*caches.remove(thing.name));
  EXPECT_EQ(caches.bytes(), 0U) << "counted as much as was removed";
}

}  // namespace
}  // namespace ingot::solver
