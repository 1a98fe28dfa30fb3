#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/fd.h"

namespace ingot::sys {

// A Unix socket of a name, and a thread for each who connects to it. Thread-safe.
class SocketServer {
 public:
  // Until the other end closes or `stop` is thrown; the connection is the server's to close.
  using Serve = std::function<void(int connection, const CancelToken& stop)>;
  // Who comes when so many are served waits until one of them has ended.
  static constexpr std::size_t kMostAtOnce = 64;

  // The name is new, and of mode 0600.
  static Result<std::unique_ptr<SocketServer>> open(const std::filesystem::path& path, Serve serve);
  ~SocketServer();  // ends all who are served, and removes the name
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

 private:
  struct Connection {
    UniqueFd socket;
    std::atomic<bool> ended = false;
    std::thread thread;
  };
  SocketServer(std::filesystem::path path, UniqueFd listener, Serve serve);
  void accept_all();
  void begin(UniqueFd socket);
  void forget_ended();

  const std::filesystem::path path_;
  const UniqueFd listener_;
  const Serve serve_;
  CancelSource stop_;
  std::mutex mutex_;  // guards what `ended` says, for who waits
  std::condition_variable changed_;
  std::list<Connection> connections_;  // of the acceptor's thread, and of the destructor after it
  std::thread acceptor_;
};

}  // namespace ingot::sys
