#include "daemon/sys/socket_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "daemon/base/log.h"
#include "daemon/sys/unix_socket.h"

namespace ingot::sys {

namespace {
constexpr std::chrono::milliseconds kAcceptorGlance{200};  // where nothing wakes the acceptor
}

Result<std::unique_ptr<SocketServer>> SocketServer::open(const std::filesystem::path& path, Serve serve) {
  constexpr int kBacklog = 128;
  INGOT_TRY(auto listener, bind_unix(path));
  fcntl(listener.get(), F_SETFL, fcntl(listener.get(), F_GETFL) | O_NONBLOCK);
  if (listen(listener.get(), kBacklog) != 0) return base::fail_errno(errno, "cannot listen at " + path.string());
  return std::unique_ptr<SocketServer>(new SocketServer(path, std::move(listener), std::move(serve)));
}

SocketServer::SocketServer(std::filesystem::path path, UniqueFd listener, Serve serve)
    : path_(std::move(path)),
      listener_(std::move(listener)),
      serve_(std::move(serve)),
      acceptor_([this] { accept_all(); }) {}

SocketServer::~SocketServer() {
  stop_.cancel();
  acceptor_.join();
  for (auto& one : connections_) shutdown(one.socket.get(), SHUT_RDWR);
  for (auto& one : connections_) one.thread.join();
  unlink(path_.c_str());
}

void SocketServer::accept_all() {
  const CancelToken stop = stop_.token();
  while (!stop.canceled()) {
    forget_ended();
    if (connections_.size() >= kMostAtOnce) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kAcceptorGlance);
      continue;
    }
    std::array<pollfd, 2> waited{{{listener_.get(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    if (poll(waited.data(), waited.size(), static_cast<int>(kAcceptorGlance.count())) <= 0) continue;
    UniqueFd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted) {
      begin(std::move(accepted));
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
      std::this_thread::sleep_for(
          kAcceptorGlance);  // such as a process without descriptors: nothing is gained by haste
    }
  }
}

void SocketServer::begin(UniqueFd socket) {
  Connection& one = connections_.emplace_back();
  one.socket = std::move(socket);
  const auto serve = [this, &one] {
    try {
      serve_(one.socket.get(), stop_.token());
    } catch (const std::exception& error) {
      base::log::error("serving {}: {}", path_.string(), error.what());
    }
    shutdown(one.socket.get(), SHUT_RDWR);  // the other end hears of it now, whenever the thread is collected
    std::lock_guard lock(mutex_);
    one.ended = true;
    changed_.notify_all();
  };
  try {
    one.thread = std::thread(serve);
  } catch (const std::system_error& error) {
    base::log::warning("serving {}: {}", path_.string(), error.what());
    connections_.pop_back();  // who has come hears that he cannot be served
  }
}

void SocketServer::forget_ended() {
  for (auto one = connections_.begin(); one != connections_.end();) {
    if (!one->ended) {
      ++one;
      continue;
    }
    one->thread.join();
    one = connections_.erase(one);
  }
}

}  // namespace ingot::sys
