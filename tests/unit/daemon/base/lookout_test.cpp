#include "daemon/base/lookout.h"

#include <gtest/gtest.h>

#include <atomic>

namespace ingot::base {
namespace {

using namespace std::chrono_literals;

void wait_for(const std::atomic<int>& looks, int count) {
  for (int i = 0; i < 10'000 && looks < count; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_GE(looks, count);
}

TEST(Lookout, looks_at_once_when_woken_and_as_often_as_it_says) {
  std::atomic<int> looks = 0;
  std::atomic<bool> is_busy = false;
  Lookout lookout;
  lookout.start([&]() -> std::optional<std::chrono::milliseconds> {
    ++looks;
    return is_busy ? std::optional(1ms) : std::nullopt;
  });
  wait_for(looks, 1);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(looks, 1) << "nobody woke it";
  is_busy = true;
  lookout.wake();
  wait_for(looks, 10);
  lookout.stop();
  EXPECT_FALSE(lookout.is_running());
}

TEST(Lookout, what_wakes_it_while_it_looks_is_not_missed) {
  std::atomic<int> looks = 0;
  std::atomic<bool> may_go_on = false;
  Lookout lookout;
  lookout.start([&]() -> std::optional<std::chrono::milliseconds> {
    ++looks;
    while (!may_go_on) std::this_thread::sleep_for(1ms);
    return std::nullopt;
  });
  wait_for(looks, 1);
  lookout.wake();
  may_go_on = true;
  wait_for(looks, 2);
}

TEST(Lookout, one_that_never_began_can_be_stopped) {
  Lookout lookout;
  lookout.wake();
  lookout.stop();
  EXPECT_FALSE(lookout.is_running());
}

}  // namespace
}  // namespace ingot::base
