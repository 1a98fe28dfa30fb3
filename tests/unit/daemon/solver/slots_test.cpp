#include "daemon/solver/slots.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/fakes.h"

namespace ingot::solver {
namespace {

class SlotsTest : public testing::Test {
 protected:
  // Takes a slot on a thread of its own, notes the order, and gives it back when the test says so.
  void ask(const std::string& name, const Demand& demand) {
    const unsigned before = slots.counts().waiting;
    threads.emplace_back([this, name, demand] {
      auto slot = slots.acquire(demand, {});
      std::lock_guard lock(mutex);
      order.push_back(name);
    });
    while (slots.counts().waiting == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::vector<std::string> finish() {
    busy.reset();
    for (auto& thread : threads) thread.join();
    threads.clear();
    return order;
  }
  test::FakeClock clock;
  Slots slots{{1, 1000}, clock};
  Slots::Slot busy = slots.acquire({"nobody", 0, 0}, {});
  std::mutex mutex;
  std::vector<std::string> order;
  std::vector<std::thread> threads;
};

using Names = std::vector<std::string>;

TEST_F(SlotsTest, higher_priority_first_then_in_order) {
  ask("a", {"me", 0, 0});
  ask("b", {"me", 0, 0});
  ask("urgent", {"me", 5, 0});
  EXPECT_EQ(finish(), (Names{"urgent", "a", "b"}));
}

TEST_F(SlotsTest, who_waits_long_comes_before_a_higher_priority_at_last) {
  ask("old", {"me", 0, 0});
  clock.advance(std::chrono::minutes(2));
  ask("new", {"me", 3, 0});
  EXPECT_EQ(finish(), (Names{"old", "new"}));
}

TEST_F(SlotsTest, a_submitter_who_runs_less_comes_before_one_who_runs_more) {
  Slots two({2, 0}, clock);
  auto mine = two.acquire({"sweeper", 0, 0}, {});
  auto also_mine = two.acquire({"sweeper", 0, 0}, {});
  std::vector<std::thread> waiting;
  Names got;
  const auto wait = [&](const std::string& who) {
    const unsigned before = two.counts().waiting;
    waiting.emplace_back([&, who] {
      auto slot = two.acquire({who, 0, 0}, {});
      std::lock_guard lock(mutex);
      got.push_back(who);
    });
    while (two.counts().waiting == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  wait("sweeper");
  wait("engineer");
  also_mine.reset();  // the sweeper still runs one
  while (two.counts().waiting > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (auto& thread : waiting) thread.join();
  EXPECT_EQ(got, (Names{"engineer", "sweeper"}));
}

TEST_F(SlotsTest, memory_is_shared_out_and_one_that_is_larger_than_the_host_runs_alone) {
  Slots many({8, 1000}, clock);
  auto huge = many.acquire({"a", 0, 5000}, {});
  ASSERT_TRUE(huge);
  std::thread small([&] { EXPECT_TRUE(many.acquire({"b", 0, 1}, {})); });
  while (many.counts().waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(many.counts().running, 1U);
  huge.reset();
  small.join();
  auto one = many.acquire({"a", 0, 600}, {});
  auto two = many.acquire({"a", 0, 400}, {});
  EXPECT_EQ(many.counts().running, 2U);
}

TEST_F(SlotsTest, one_that_is_canceled_leaves_the_line) {
  sys::CancelSource cancel;
  std::thread waiter([&] { EXPECT_FALSE(slots.acquire({"me", 9, 0}, cancel.token())); });
  while (slots.counts().waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  cancel.cancel();
  waiter.join();
  EXPECT_EQ(slots.counts().waiting, 0U);
  ask("next", {"me", 0, 0});
  EXPECT_EQ(finish(), Names{"next"});
}

}  // namespace
}  // namespace ingot::solver
