#include "client/locally/agent.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "daemon/sys/unix_socket.h"
#include "tests/support/fake_agent.h"

namespace ingot::client {
namespace {

using test::FakeAgent;
using testing::ElementsAre;
using testing::IsEmpty;

std::string answer_to(const std::string& content, FakeAgent& fake) {
  auto agent = Agent::open(fake.socket());
  EXPECT_TRUE(agent);
  return agent->ask(sys::agent_message(content), {}).value_or("none").substr(4);
}

TEST(Agent, lists_keys_signs_and_is_told_for_which_host) {
  FakeAgent fake;
  EXPECT_EQ(answer_to("\x0b", fake), std::string("\x0c\0\0\0\1", 5));
  EXPECT_EQ(answer_to("\x0d the key, and what is to be signed", fake), "signed");
  const std::string binding = "\x1b" + sys::agent_message("session-bind@openssh.com") + " of a host";
  EXPECT_EQ(answer_to(binding, fake), "signed");
}

// Keys are not taken away, added or locked by a step, and what nobody knows is not asked.
TEST(Agent, what_would_change_it_is_refused_without_asking) {
  FakeAgent fake;
  const std::string failure = "\x05";
  for (const char kind : {'\x11', '\x12', '\x13', '\x14', '\x16', '\x17', '\x19', '\x1a', '\x01'}) {
    EXPECT_EQ(answer_to(std::string(1, kind) + "rest", fake), failure) << static_cast<int>(kind);
  }
  EXPECT_EQ(answer_to("\x1b" + sys::agent_message("query"), fake), failure);
  EXPECT_EQ(answer_to("\x1b" + sys::agent_message("session-bind@openssh.com.other"), fake), failure);
  EXPECT_THAT(fake.asked(), IsEmpty());
}

TEST(Agent, one_that_is_not_there_or_goes_is_told_of_with_a_cure) {
  const auto none = Agent::open("/nonexistent/agent");
  ASSERT_FALSE(none);
  auto fake = std::make_unique<FakeAgent>();
  const auto path = fake->socket();
  auto agent = Agent::open(path);
  fake.reset();
  const auto gone = agent->ask(sys::agent_message("\x0b"), {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::unavailable);
  const test::TempDirectory directory;
  { const auto bound = sys::bind_unix(directory / "s"); }
  EXPECT_THAT(Agent::open(directory / "s").error().hint, testing::HasSubstr("ssh-add"));
}

TEST(Agent, is_lent_only_if_it_answers_and_has_keys) {
  FakeAgent with;
  setenv("SSH_AUTH_SOCK", with.socket().c_str(), 1);
  EXPECT_EQ(agent_with_keys(), with.socket());
  EXPECT_THAT(with.asked(), ElementsAre("\x0b"));
  FakeAgent without(0);
  setenv("SSH_AUTH_SOCK", without.socket().c_str(), 1);
  EXPECT_EQ(agent_with_keys(), "");
  for (const char* nothing : {"", "/nonexistent/agent"}) {
    setenv("SSH_AUTH_SOCK", nothing, 1);
    EXPECT_EQ(agent_with_keys(), "");
  }
  unsetenv("SSH_AUTH_SOCK");
  EXPECT_EQ(agent_with_keys(), "");
}

}  // namespace
}  // namespace ingot::client
