#include "daemon/sys/agent_messages.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "daemon/sys/fd.h"

namespace ingot::sys {
namespace {

struct Ends {
  Ends() {
    std::array<int, 2> both{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), 0);
    ours = UniqueFd(both[0]);
    theirs = UniqueFd(both[1]);
  }
  void say(const std::string& bytes) const {
    EXPECT_EQ(send(theirs.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  UniqueFd ours;
  UniqueFd theirs;
};

TEST(AgentMessages, have_their_length_in_front_the_highest_byte_first) {
  EXPECT_EQ(agent_message("\x0b"), std::string("\0\0\0\1\x0b", 5));
  EXPECT_EQ(agent_message(std::string(300, 'x')).substr(0, 4), std::string("\0\0\1\x2c", 4));
  EXPECT_TRUE(is_agent_message(agent_message("x")));
  for (const std::string& no : {std::string(), std::string("\0\0\0\0", 4), agent_message("x") + "y",
                                agent_message(std::string(kLargestAgentMessage + 1, 'x'))}) {
    EXPECT_FALSE(is_agent_message(no)) << no.size();
  }
}

TEST(AgentMessages, come_one_by_one_however_they_are_cut) {
  const Ends ends;
  const std::string both = agent_message("one") + agent_message("two");
  std::thread other([&] {
    for (const char byte : both) ends.say({byte});
  });
  EXPECT_EQ(receive_agent_message(ends.ours.get(), {}).value(), agent_message("one"));
  EXPECT_EQ(receive_agent_message(ends.ours.get(), {}).value(), agent_message("two"));
  other.join();
}

TEST(AgentMessages, an_end_is_none_also_in_the_midst_of_one) {
  for (const std::string& part : {std::string(), std::string(2, '\0'), agent_message("all of it").substr(0, 7)}) {
    Ends ends;
    if (!part.empty()) ends.say(part);
    ends.theirs.reset();
    const auto none = receive_agent_message(ends.ours.get(), {});
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
  }
}

TEST(AgentMessages, what_is_too_large_is_none_before_it_has_come) {
  const Ends ends;
  ends.say(std::string("\x7f\xff\xff\xff", 4));
  EXPECT_EQ(receive_agent_message(ends.ours.get(), {}).error().kind, ErrorKind::invalid);
}

TEST(AgentMessages, who_waits_may_be_canceled_or_lose_patience) {
  const Ends ends;
  CancelSource cancel;
  std::thread soon([&] { cancel.cancel(); });
  EXPECT_EQ(receive_agent_message(ends.ours.get(), cancel.token()).error().kind, ErrorKind::canceled);
  soon.join();
  const auto late = receive_agent_message(ends.ours.get(), {}, std::chrono::milliseconds(1));
  EXPECT_EQ(late.error().kind, ErrorKind::timed_out);
}

TEST(AgentMessages, are_sent_to_who_reads_slowly_and_not_to_who_is_gone) {
  Ends ends;
  const std::string large = agent_message(std::string(kLargestAgentMessage, 'x'));
  std::thread other([&] {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(receive_agent_message(ends.theirs.get(), {}).value(), large);
  });
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(send_agent_message(ends.ours.get(), large, {}));
  other.join();
  ends.theirs.reset();
  EXPECT_EQ(send_agent_message(ends.ours.get(), large, {}).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace ingot::sys
