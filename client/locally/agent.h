#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/fd.h"

namespace ingot::client {

// A connection to the user's SSH agent, for somebody who may list its keys and have it sign, and no more.
class Agent {
 public:
  // Kind `unavailable` when none answers there.
  static Result<Agent> open(const std::filesystem::path& socket);
  // What it answers to a message. One that would change the agent is refused in its name: a step shall neither take
  // keys away nor lock it. `within` 0: it may take its time, as for asking its user.
  Result<std::string> ask(const std::string& message, const sys::CancelToken& cancel,
                          std::chrono::milliseconds within = {});

 private:
  explicit Agent(sys::UniqueFd socket) : socket_(std::move(socket)) {}
  sys::UniqueFd socket_;
};

// The socket of the user's agent, if it answers and has keys; else empty.
std::filesystem::path agent_with_keys();

}  // namespace ingot::client
