#include "daemon/sys/frames.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "daemon/sys/fd.h"

namespace ingot::sys {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    one = UniqueFd(ends[0]);
    other = UniqueFd(ends[1]);
  }
  UniqueFd one;
  UniqueFd other;
};

TEST(Frames, come_out_as_they_went_in) {
  Pair pair;
  const std::string large(3U << 20, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(send_frame(pair.one.get(), 1, 7, std::string("a\0b", 3)));
    EXPECT_TRUE(send_frame(pair.one.get(), 255, 0xfffffffe, ""));
    EXPECT_TRUE(send_frame(pair.one.get(), 2, 300, large));
    pair.one.reset();
  });
  auto first = receive_frame(pair.other.get());
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->kind, 1);
  EXPECT_EQ((*first)->number, 7U);
  EXPECT_EQ((*first)->payload, std::string("a\0b", 3));
  auto second = receive_frame(pair.other.get());
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->kind, 255);
  EXPECT_EQ((*second)->number, 0xfffffffeU);
  EXPECT_EQ((*second)->payload, "");
  auto third = receive_frame(pair.other.get());
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->payload, large);
  const auto end = receive_frame(pair.other.get());
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end) << "the other end has closed";
  sender.join();
}

TEST(Frames, half_of_one_is_an_error) {
  for (const std::string& part : {std::string("\1\1\0\0", 4), std::string("\1\1\0\0\0\5\0\0\0abc", 12)}) {
    Pair pair;
    ASSERT_EQ(write(pair.one.get(), part.data(), part.size()), static_cast<ssize_t>(part.size()));
    pair.one.reset();
    const auto got = receive_frame(pair.other.get());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::unavailable);
  }
}

TEST(Frames, what_says_that_it_is_huge_is_refused_before_it_is_read) {
  Pair pair;
  const std::string head("\1\1\0\0\0\xff\xff\xff\xff", 9);
  ASSERT_EQ(write(pair.one.get(), head.data(), head.size()), 9);
  const auto got = receive_frame(pair.other.get());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::invalid);
  EXPECT_FALSE(send_frame(pair.one.get(), 1, 1, std::string(kLargestFrame + 1, 'x')));
}

TEST(Frames, a_reader_may_take_less_than_others_send) {
  Pair pair;
  ASSERT_TRUE(send_frame(pair.one.get(), 1, 1, "12345"));
  ASSERT_TRUE(send_frame(pair.one.get(), 1, 1, "123456"));
  EXPECT_TRUE(receive_frame(pair.other.get(), 5));
  EXPECT_EQ(receive_frame(pair.other.get(), 5).error().kind, ErrorKind::invalid);
}

TEST(Frames, who_takes_nothing_is_waited_for_until_it_is_given_up) {
  Pair pair;
  const std::string large(8U << 20, 'x');
  int asked = 0;
  const auto sent = send_frame(pair.one.get(), 1, 1, large, [&] { return ++asked == 3; });
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::canceled);
  EXPECT_EQ(asked, 3);
}

TEST(Frames, to_who_is_gone_cannot_be_sent) {
  Pair pair;
  pair.other.reset();
  const auto sent = send_frame(pair.one.get(), 1, 1, "x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace ingot::sys
