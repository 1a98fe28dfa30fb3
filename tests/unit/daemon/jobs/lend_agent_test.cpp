#include "daemon/jobs/lend_agent.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>

#include "daemon/sys/agent_messages.h"

// The daemon's part, between a step of the test's and a client of the test's.
namespace ingot::jobs {
namespace {

using proto::LocalFrame;
using testing::HasSubstr;

std::array<sys::UniqueFd, 2> pair_of_sockets() {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {sys::UniqueFd(ends[0]), sys::UniqueFd(ends[1])};
}

class LendAgent : public testing::Test {
 protected:
  LendAgent() {
    auto to_client = pair_of_sockets();
    channel.emplace(std::move(to_client[0]));
    client = std::move(to_client[1]);
    auto to_step = pair_of_sockets();
    inside = std::move(to_step[0]);
    step = std::move(to_step[1]);
    lending = std::thread([this] { ended = lend_agent(*channel, inside.get(), cancel.token()); });
  }
  ~LendAgent() override {
    if (lending.joinable()) end();
  }
  Status end() {
    cancel.cancel();
    lending.join();
    return ended;
  }
  std::optional<sys::Frame> heard() const { return sys::receive_frame(client.get()).value_or(std::nullopt); }
  void answer(std::uint32_t number, const std::string& bytes, LocalFrame kind = LocalFrame::bytes) const {
    EXPECT_TRUE(sys::send_frame(client.get(), static_cast<std::uint8_t>(kind), number, bytes));
  }
  void ask(const std::string& content) const {
    EXPECT_TRUE(sys::send_agent_message(step.get(), sys::agent_message(content), {}));
  }

  std::optional<ClientChannel> channel;
  sys::UniqueFd client;
  sys::UniqueFd inside;
  sys::UniqueFd step;
  sys::CancelSource cancel;
  Status ended;
  std::thread lending;
};

TEST_F(LendAgent, what_a_step_says_is_answered_message_by_message) {
  const auto errand = heard();
  ASSERT_TRUE(errand);
  EXPECT_EQ(proto::local_errand_from_json(*proto::parse_json(errand->payload))->kind, proto::LocalErrand::Kind::agent);
  ask("one");
  ask("two");
  for (const char* content : {"one", "two"}) {
    const auto said = heard();
    ASSERT_TRUE(said);
    EXPECT_EQ(static_cast<LocalFrame>(said->kind), LocalFrame::bytes);
    EXPECT_EQ(said->payload, sys::agent_message(content));
    answer(said->number, sys::agent_message(std::string("re ") + content));
    EXPECT_EQ(sys::receive_agent_message(step.get(), {}).value(), sys::agent_message(std::string("re ") + content));
  }
  step.reset();
  const auto told = heard();
  ASSERT_TRUE(told);
  EXPECT_EQ(static_cast<LocalFrame>(told->kind), LocalFrame::cancel) << "nobody needs it any more";
  lending.join();
  EXPECT_TRUE(ended) << "that is no failure";
}

TEST_F(LendAgent, a_client_that_goes_is_told_of) {
  (void)heard();
  ask("one");
  (void)heard();
  client.reset();
  lending.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(ended.error().message, HasSubstr("is gone"));
}

TEST_F(LendAgent, why_the_client_cannot_is_told_in_its_words) {
  const auto errand = heard();
  ask("one");
  (void)heard();
  proto::LocalOutcome outcome;
  outcome.error = Error{ErrorKind::unavailable, "the SSH agent does not answer", "", {}, {}};
  answer(errand->number, proto::dump(proto::to_json(outcome)), LocalFrame::outcome);
  lending.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "the SSH agent does not answer");
}

TEST_F(LendAgent, what_is_no_message_goes_neither_way) {
  const auto errand = heard();
  ask("one");
  (void)heard();
  answer(errand->number, "no message");
  lending.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::invalid);
  std::array<char, 64> bytes{};
  inside.reset();
  EXPECT_EQ(recv(step.get(), bytes.data(), bytes.size(), 0), 0);
}

TEST_F(LendAgent, a_cancel_ends_it_while_an_answer_is_awaited) {
  (void)heard();
  ask("one");
  (void)heard();
  const auto done = end();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::canceled);
}

}  // namespace
}  // namespace ingot::jobs
