#include "daemon/sys/cancel.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>
#include <vector>

namespace ingot::sys {
namespace {

bool readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, 0) == 1;
}

TEST(Cancel, DefaultTokenNeverCancels) {
  const CancelToken token;
  EXPECT_FALSE(token.canceled());
  EXPECT_FALSE(token.can_cancel());
  EXPECT_EQ(token.fd(), -1);
}

TEST(Cancel, EveryTokenOfASourceSeesIt) {
  CancelSource source;
  const CancelToken early = source.token();
  CancelToken copy;
  copy = early;
  EXPECT_FALSE(early.canceled());
  EXPECT_FALSE(readable(early.fd()));
  source.cancel();
  source.cancel();
  EXPECT_TRUE(early.canceled());
  EXPECT_TRUE(copy.canceled());
  EXPECT_TRUE(source.token().canceled());
  EXPECT_TRUE(readable(early.fd()));
  EXPECT_TRUE(readable(early.fd())) << "it stays readable for those who look later";
}

TEST(Cancel, DescriptorAskedForAfterwardsIsReadable) {
  CancelSource source;
  const CancelToken token = source.token();
  source.cancel();
  EXPECT_TRUE(readable(token.fd()));
}

TEST(Cancel, TokenOutlivesItsSource) {
  CancelToken token;
  {
    CancelSource source;
    token = source.token();
    source.cancel();
  }
  EXPECT_TRUE(token.canceled());
  EXPECT_TRUE(readable(token.fd()));
}

TEST(Cancel, ASourceWithAParentIsThrownWithIt) {
  CancelSource parent;
  CancelSource child(parent.token());
  const CancelToken token = child.token();
  EXPECT_FALSE(token.canceled());
  EXPECT_FALSE(readable(token.fd()));
  parent.cancel();
  EXPECT_TRUE(token.canceled());
  EXPECT_TRUE(readable(token.fd()));
}

TEST(Cancel, AChildThrowsNothingButItself) {
  CancelSource parent;
  CancelSource child(parent.token());
  ASSERT_FALSE(readable(child.token().fd()));
  child.cancel();
  EXPECT_TRUE(child.token().canceled());
  EXPECT_TRUE(readable(child.token().fd()));
  EXPECT_FALSE(parent.token().canceled());
  EXPECT_FALSE(readable(parent.token().fd()));
  CancelSource of_nothing{CancelToken()};
  ASSERT_FALSE(readable(of_nothing.token().fd()));
  of_nothing.cancel();
  EXPECT_TRUE(readable(of_nothing.token().fd()));
}

// The descriptor is made by whoever asks first, and the switch may be thrown at that moment.
TEST(Cancel, WakesPollersThatRaceWithIt) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    CancelSource source;
    constexpr int kPollers = 3;
    std::vector<std::thread> pollers;
    pollers.reserve(kPollers);
    for (int i = 0; i < kPollers; ++i) {
      pollers.emplace_back([token = source.token()] {
        pollfd wanted{token.fd(), POLLIN, 0};
        EXPECT_EQ(poll(&wanted, 1, 5000), 1);
      });
    }
    source.cancel();
    for (auto& poller : pollers) poller.join();
  }
}

}  // namespace
}  // namespace ingot::sys
