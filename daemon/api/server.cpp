#include "daemon/api/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "daemon/api/connection.h"
#include "daemon/api/listening_socket.h"
#include "daemon/api/shared.h"
#include "daemon/base/log.h"

namespace ingot::api {

namespace {

namespace asio = boost::asio;

// Descriptors that connections leave to the rest of the daemon: blobs, logs, children's pipes.
constexpr std::size_t kReservedDescriptors = 512;

std::size_t connection_limit(std::size_t configured) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t possible =
      limit.rlim_cur > 2 * kReservedDescriptors ? limit.rlim_cur - kReservedDescriptors : limit.rlim_cur / 2;
  return std::min(configured, possible);
}

class UnixServer : public Server {
 public:
  UnixServer(ServerSettings settings, Services services, sys::UniqueFd listener)
      : shared_(std::move(settings), std::move(services)),
        limit_(connection_limit(shared_.settings.max_connections)),
        acceptor_(shared_.io, asio::local::stream_protocol(), listener.release()),
        back_off_(shared_.io) {
    struct stat status {};
    if (stat(shared_.settings.socket_path.c_str(), &status) == 0) inode_ = status.st_ino;
  }
  ~UnixServer() override { stop(); }

  void start() override {
    asio::post(shared_.io, [this] { accept(); });
    thread_ = std::thread([this] { shared_.io.run(); });
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    asio::post(shared_.io, [this] {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      back_off_.cancel();
      // Closing may end a connection's last operation and with it the connection: go over a copy.
      for (auto* connection : std::vector<Connection*>(shared_.connections.begin(), shared_.connections.end())) {
        if (shared_.connections.contains(connection)) connection->close();
      }
    });
    if (thread_.joinable()) {
      // Handlers still on the pool post their results back; the loop ends when nothing is left.
      guard_.reset();
      thread_.join();
    }
    shared_.workers.join();
    shared_.copiers.join();
    shared_.planners.join();
    shared_.tasks.join();
    shared_.log_readers.join();
    remove_socket_file();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Connection::Socket socket) {
      // Also a connection that came just before the end finds the acceptor closed here.
      if (!acceptor_.is_open()) return;
      if (error) {
        // Out of descriptors: trying again at once would only spin.
        base::log::warning("cannot accept a connection: {}", error.message());
        back_off_.expires_after(std::chrono::milliseconds(100));
        back_off_.async_wait([this](boost::system::error_code stop) {
          if (!stop) accept();
        });
        return;
      }
      fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
      if (shared_.connections.size() >= limit_)
        turn_away(socket);
      else
        std::make_shared<Connection>(shared_, std::move(socket))->start();
      accept();
    });
  }

  // Says why in one packet that surely fits the socket's buffer, and closes.
  void turn_away(Connection::Socket& socket) const {
    Error error;
    error.kind = ErrorKind::unavailable;
    error.message = "the daemon serves as many connections as it may";
    error.hint = "try again in a moment, or raise socket.max_connections";
    const Response response = error_response(error);
    const auto& body = std::get<std::string>(response.body);
    const std::string text =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
  }

  void remove_socket_file() const {
    struct stat status {};
    const auto& path = shared_.settings.socket_path;
    if (shared_.settings.inherited_socket >= 0 || stat(path.c_str(), &status) != 0) return;
    if (status.st_ino == inode_) unlink(path.c_str());
  }

  Shared shared_;
  std::size_t limit_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer back_off_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{shared_.io.get_executor()};
  std::thread thread_;
  ino_t inode_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(ServerSettings settings, Services services) {
  sys::UniqueFd listener(settings.inherited_socket);
  if (!listener) {
    INGOT_TRY(listener, open_listening_socket(settings));
  }
  return std::make_unique<UnixServer>(std::move(settings), std::move(services), std::move(listener));
}

}  // namespace ingot::api
