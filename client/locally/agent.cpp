#include "client/locally/agent.h"

#include <algorithm>
#include <cstdlib>

#include "daemon/sys/agent_messages.h"
#include "daemon/sys/unix_socket.h"

namespace ingot::client {

namespace {

using base::fail;

constexpr std::size_t kKind = 4;  // where a message says what it is
constexpr char kFailure = 5;
constexpr char kListKeys = 11;
constexpr char kKeys = 12;
constexpr char kSign = 13;
constexpr char kExtension = 27;

// The one extension that ssh itself uses: it tells the agent to which host a signature goes, so that a key that is
// meant for some hosts only is used for no others.
constexpr std::string_view kBinding = "session-bind@openssh.com";

bool is_allowed(std::string_view message) {
  const char kind = message[kKind];
  if (kind == kListKeys || kind == kSign) return true;
  if (kind != kExtension) return false;
  const std::string name = sys::agent_message(kBinding);  // a text is written as a message is
  return message.substr(kKind + 1).starts_with(name);
}

}  // namespace

Result<Agent> Agent::open(const std::filesystem::path& socket) {
  auto connected = sys::connect_unix(socket);
  if (connected) return Agent(std::move(*connected));
  return fail(ErrorKind::unavailable, "the SSH agent does not answer: " + connected.error().message,
              "start one with `eval $(ssh-agent)`, and give it keys with `ssh-add`");
}

Result<std::string> Agent::ask(const std::string& message, const sys::CancelToken& cancel,
                               std::chrono::milliseconds within) {
  if (!sys::is_agent_message(message)) return fail(ErrorKind::invalid, "what is said is no message of an SSH agent");
  if (!is_allowed(message)) return sys::agent_message({&kFailure, 1});
  INGOT_CHECK(sys::send_agent_message(socket_.get(), message, cancel));
  INGOT_TRY(auto answer, sys::receive_agent_message(socket_.get(), cancel, within));
  if (answer) return *std::move(answer);
  return fail(ErrorKind::unavailable, "the SSH agent has ended the connection",
              "`ssh-add -l` tells whether it runs, and what keys it has");
}

std::filesystem::path agent_with_keys() {
  constexpr std::chrono::seconds kPatience{3};
  const char* named = std::getenv("SSH_AUTH_SOCK");
  if (named == nullptr || *named == '\0') return {};
  auto agent = Agent::open(named);
  if (!agent) return {};
  // One that hangs shall not keep the build from beginning.
  const auto keys = agent->ask(sys::agent_message({&kListKeys, 1}), {}, kPatience);
  if (!keys || keys->size() < kKind + 5 || (*keys)[kKind] != kKeys) return {};
  const std::string_view count = std::string_view(*keys).substr(kKind + 1, 4);
  const bool has_some = std::any_of(count.begin(), count.end(), [](char byte) { return byte != 0; });
  return has_some ? std::filesystem::path(named) : std::filesystem::path();
}

}  // namespace ingot::client
