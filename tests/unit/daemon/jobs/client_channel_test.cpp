#include "daemon/jobs/client_channel.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>

#include "tests/support/temp.h"

// The daemon's end against a client of the test's.
namespace ingot::jobs {
namespace {

using proto::LocalErrand;
using proto::LocalFrame;
using testing::HasSubstr;

std::array<sys::UniqueFd, 2> two_ends() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("no sockets");
  return {sys::UniqueFd(ends[0]), sys::UniqueFd(ends[1])};
}

// What a client says, one frame at a time.
struct FakeClient {
  sys::UniqueFd socket;
  void say(LocalFrame kind, std::uint32_t number, const std::string& payload) const {
    EXPECT_TRUE(sys::send_frame(socket.get(), static_cast<std::uint8_t>(kind), number, payload));
  }
  void ready() const { say(LocalFrame::ready, 0, ""); }
  void end(std::uint32_t number, int code) const {
    say(LocalFrame::outcome, number, proto::dump(proto::to_json(proto::LocalOutcome{code, {}})));
  }
  std::optional<sys::Frame> hear() const { return sys::receive_frame(socket.get()).value_or(std::nullopt); }
};

ClientChannel::Wanted command(const std::string& text) {
  ClientChannel::Wanted wanted;
  wanted.errand.command = text;
  return wanted;
}

ClientChannel::Wanted tar_of(std::size_t bytes, const test::TempDirectory& directory) {
  auto wanted = command("");
  wanted.tar = directory.file("tar", std::string(bytes, 't'));
  return wanted;
}

struct Both {
  Both() {
    auto ends = two_ends();
    channel.emplace(std::move(ends[0]));
    client.socket = std::move(ends[1]);
  }
  std::optional<ClientChannel> channel;
  FakeClient client;
};

TEST(ClientChannel, an_errand_goes_there_and_what_it_says_comes_back) {
  Both both;
  std::thread other([&] {
    const auto asked = both.client.hear();
    ASSERT_TRUE(asked);
    EXPECT_EQ(static_cast<LocalFrame>(asked->kind), LocalFrame::errand);
    EXPECT_EQ(proto::local_errand_from_json(*proto::parse_json(asked->payload))->command, "make");
    both.client.say(LocalFrame::out, asked->number, "one ");
    both.client.say(LocalFrame::out, asked->number + 77, "of an errand that nobody knows");
    both.client.say(LocalFrame::err, asked->number, "two");
    both.client.end(asked->number, 3);
  });
  std::string said;
  auto wanted = command("make");
  wanted.take = [&](LocalFrame kind, std::string_view bytes) -> Status {
    said += (kind == LocalFrame::out ? "out:" : "err:") + std::string(bytes);
    return {};
  };
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(said, "out:one err:two");
}

TEST(ClientChannel, several_at_once_have_numbers_of_their_own) {
  Both both;
  std::thread other([&] {
    const auto first = both.client.hear();
    const auto second = both.client.hear();
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->number, second->number);
    const auto code_of = [](const sys::Frame& frame) {
      return proto::local_errand_from_json(*proto::parse_json(frame.payload))->command == "one" ? 1 : 2;
    };
    both.client.end(second->number, code_of(*second));
    both.client.end(first->number, code_of(*first));
  });
  std::thread beside([&] { EXPECT_EQ(both.channel->run(command("one"), {})->exit_code, 1); });
  EXPECT_EQ(both.channel->run(command("two"), {})->exit_code, 2);
  beside.join();
  other.join();
}

TEST(ClientChannel, a_tar_is_sent_whole) {
  Both both;
  const test::TempDirectory directory;
  const std::string bytes(700'000, 't');
  directory.file("tar", bytes);
  std::thread other([&] {
    const auto asked = both.client.hear();
    std::string got;
    for (auto frame = both.client.hear(); frame && static_cast<LocalFrame>(frame->kind) == LocalFrame::bytes;
         frame = both.client.hear()) {
      got += frame->payload;
    }
    EXPECT_EQ(got, bytes);
    both.client.end(asked->number, 0);
  });
  auto wanted = command("");
  wanted.tar = directory / "tar";
  EXPECT_TRUE(both.channel->run(wanted, {}));
  other.join();
}

TEST(ClientChannel, a_client_that_goes_fails_what_it_had_to_do_and_all_that_comes) {
  Both both;
  std::thread other([&] {
    (void)both.client.hear();
    both.client.socket.reset();
  });
  const auto outcome = both.channel->run(command("x"), {});
  other.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(outcome.error().message, HasSubstr("is gone"));
  EXPECT_FALSE(both.channel->run(command("y"), {}));
  EXPECT_FALSE(both.channel->is_open());
}

TEST(ClientChannel, a_cancel_is_told_and_its_outcome_waited_for) {
  Both both;
  sys::CancelSource cancel;
  std::thread other([&] {
    const auto asked = both.client.hear();
    cancel.cancel();
    const auto told = both.client.hear();
    ASSERT_TRUE(told);
    EXPECT_EQ(static_cast<LocalFrame>(told->kind), LocalFrame::cancel);
    EXPECT_EQ(told->number, asked->number);
    both.client.end(asked->number, 143);
  });
  const auto outcome = both.channel->run(command("x"), cancel.token());
  other.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::canceled);
}

TEST(ClientChannel, a_time_limit_ends_it) {
  Both both;
  std::thread other([&] {
    const auto asked = both.client.hear();
    const auto told = both.client.hear();
    ASSERT_TRUE(told);
    EXPECT_EQ(static_cast<LocalFrame>(told->kind), LocalFrame::cancel);
    both.client.end(asked->number, 143);
  });
  auto wanted = command("x");
  wanted.time_limit = std::chrono::milliseconds(100);
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::timed_out);
}

TEST(ClientChannel, a_tar_that_nobody_takes_runs_into_the_time_limit_too) {
  Both both;
  const test::TempDirectory directory;
  auto wanted = tar_of(8U << 20, directory);
  wanted.time_limit = std::chrono::milliseconds(100);
  std::size_t sent = 0;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    for (auto frame = both.client.hear(); frame; frame = both.client.hear()) {
      if (static_cast<LocalFrame>(frame->kind) == LocalFrame::cancel) return both.client.end(frame->number, 0);
      sent += frame->payload.size();
    }
  });
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::timed_out) << outcome.error().message;
  EXPECT_LT(sent, 8U << 20);
}

TEST(ClientChannel, a_tar_that_cannot_be_taken_is_not_sent_to_its_end) {
  Both both;
  const test::TempDirectory directory;
  auto wanted = tar_of(64U << 20, directory);
  std::size_t sent = 0;
  std::thread other([&] {
    const auto asked = both.client.hear();
    both.client.say(LocalFrame::outcome, asked->number,
                    proto::dump(proto::to_json(proto::LocalOutcome{0, Error{ErrorKind::denied, "no", "", {}, {}}})));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // it is heard; what is sent fills the socket
    for (auto frame = both.client.hear(); frame && static_cast<LocalFrame>(frame->kind) == LocalFrame::bytes;
         frame = both.client.hear()) {
      sent += frame->payload.size();
    }
  });
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_TRUE(outcome && outcome->error);
  EXPECT_EQ(outcome->error->message, "no");
  EXPECT_LT(sent, 32U << 20);
}

TEST(ClientChannel, an_outcome_counts_though_the_client_goes_while_a_tar_is_sent) {
  Both both;
  const test::TempDirectory directory;
  auto wanted = tar_of(8U << 20, directory);
  std::thread other([&] {
    const auto asked = both.client.hear();
    both.client.end(asked->number, 7);
    both.client.socket.reset();
  });
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 7);
}

TEST(ClientChannel, an_outcome_counts_though_the_client_goes_right_behind_it) {
  for (int i = 0; i < 50; ++i) {
    Both both;
    std::thread other([&] {
      const auto asked = both.client.hear();
      both.client.end(asked->number, 7);
      both.client.socket.reset();
    });
    const auto outcome = both.channel->run(command("x"), {});
    other.join();
    ASSERT_TRUE(outcome) << i << ": " << outcome.error().message;
    EXPECT_EQ(outcome->exit_code, 7);
  }
}

TEST(ClientChannel, who_cannot_keep_what_comes_ends_the_errand) {
  Both both;
  std::thread other([&] {
    const auto asked = both.client.hear();
    both.client.say(LocalFrame::bytes, asked->number, "x");
    const auto told = both.client.hear();
    EXPECT_EQ(static_cast<LocalFrame>(told->kind), LocalFrame::cancel);
    both.client.end(asked->number, 0);
  });
  auto wanted = command("x");
  wanted.take = [](LocalFrame, std::string_view) -> Status { return base::fail(ErrorKind::no_space, "full"); };
  const auto outcome = both.channel->run(wanted, {});
  other.join();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::no_space);
}

TEST(ClientChannel, what_a_client_says_that_is_no_frame_ends_the_connection) {
  Both both;
  const std::string nonsense(4096, '\xff');
  ASSERT_GT(send(both.client.socket.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL), 0);
  EXPECT_FALSE(both.channel->run(command("x"), {}));
}

TEST(ClientChannels, a_job_has_the_client_that_came_first_and_the_next_when_that_is_gone) {
  ClientChannels channels;
  auto first = two_ends();
  auto second = two_ends();
  auto third = two_ends();
  channels.attach("j", std::move(first[0]));
  FakeClient early{std::move(first[1])};
  early.ready();
  const auto channel = channels.get("j", {});
  ASSERT_TRUE(channel);
  EXPECT_EQ(channels.check_room("j", true).error().kind, ErrorKind::unavailable);
  channels.attach("j", std::move(second[0]));  // both were told that there is room
  EXPECT_FALSE(FakeClient{std::move(second[1])}.hear()) << "its connection is closed";
  EXPECT_EQ(*channels.get("j", {}), *channel);
  early.socket.reset();
  EXPECT_TRUE(channels.check_room("j", true));
  channels.attach("j", std::move(third[0]));
  FakeClient late{std::move(third[1])};
  std::thread soon([&] { late.ready(); });
  const auto next = channels.get("j", {});
  soon.join();
  ASSERT_TRUE(next);
  EXPECT_TRUE((*next)->is_ready());
  channels.end("j");
  EXPECT_FALSE(late.hear());
}

TEST(ClientChannels, those_that_wait_for_the_queue_do_not_shut_out_whose_job_runs) {
  ClientChannels channels(4);
  std::vector<std::array<sys::UniqueFd, 2>> waiting;
  int taken = 0;
  for (; channels.check_room(std::to_string(taken), false); ++taken) {
    ASSERT_LT(taken, 10);
    waiting.push_back(two_ends());
    channels.attach(std::to_string(taken), std::move(waiting.back()[0]));
  }
  EXPECT_EQ(taken, 4);
  EXPECT_TRUE(channels.check_room("running", true));
  waiting.clear();
  EXPECT_TRUE(channels.check_room("next", false));
}

TEST(ClientChannels, who_waits_for_a_client_may_be_canceled) {
  ClientChannels channels;
  sys::CancelSource cancel;
  std::thread soon([&] { cancel.cancel(); });
  const auto channel = channels.get("j", cancel.token());
  soon.join();
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().kind, ErrorKind::canceled);
}

}  // namespace
}  // namespace ingot::jobs
