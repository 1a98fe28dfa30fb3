#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/sys/agent_messages.h"
#include "daemon/sys/socket_server.h"
#include "tests/support/temp.h"

namespace ingot::test {

// An SSH agent that has so many keys, remembers what it was asked, and answers "signed" to all but the question for
// them.
class FakeAgent {
 public:
  explicit FakeAgent(unsigned char keys = 1) : keys_(keys) {}
  std::filesystem::path socket() const { return directory_ / "agent"; }
  std::vector<std::string> asked() {
    std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve(int connection, const sys::CancelToken& stop) {
    while (true) {
      const auto message = sys::receive_agent_message(connection, stop);
      if (!message || !*message) return;
      {
        std::lock_guard lock(mutex_);
        asked_.push_back((*message)->substr(4));
      }
      constexpr char kListKeys = 11;
      const bool lists = (*message)->at(4) == kListKeys;
      const std::string answer = lists ? std::string("\x0c\0\0\0", 4) + static_cast<char>(keys_) : "signed";
      if (!sys::send_agent_message(connection, sys::agent_message(answer), stop)) return;
    }
  }

  TempDirectory directory_;
  const unsigned char keys_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::unique_ptr<sys::SocketServer> server_ =
      sys::SocketServer::open(directory_ / "agent", [this](int connection, const sys::CancelToken& stop) {
        serve(connection, stop);
      }).value();
};

}  // namespace ingot::test
