#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "daemon/sys/files.h"

namespace ingot::test {

HttpServer::HttpServer(std::function<HttpReply(const HttpAsked&)> answer)
    : answer_(std::move(answer)), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(socket_.get(), 16) != 0 ||
      getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port on loopback");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
  ended_ = true;
  thread_.join();
}

void HttpServer::serve() {
  while (!ended_) {
    pollfd wait{socket_.get(), POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0) continue;
    sys::UniqueFd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) answer(connection.get());
  }
}

void HttpServer::answer(int connection) const {
  std::string request;
  const auto read_until = [&](const auto& is_whole) {
    char part[4096];
    while (!is_whole()) {
      const ssize_t got = read(connection, part, sizeof part);
      if (got <= 0) return false;
      request.append(part, static_cast<std::size_t>(got));
    }
    return true;
  };
  if (!read_until([&] { return request.find("\r\n\r\n") != std::string::npos; })) return;
  HttpAsked asked;
  const std::size_t end = request.find("\r\n\r\n") + 4;
  asked.head = request.substr(0, end - 2);
  const std::string kLength = "\r\nContent-Length: ";
  const auto at = asked.head.find(kLength);
  const auto length = at == std::string::npos ? 0 : std::strtoul(asked.head.c_str() + at + kLength.size(), nullptr, 10);
  if (!read_until([&] { return request.size() >= end + length; })) return;
  asked.body = request.substr(end);
  const std::size_t begin = request.find(' ') + 1;
  asked.path = request.substr(begin, request.find_first_of(" ?", begin) - begin);
  const HttpReply reply = answer_(asked);
  (void)sys::write_all(connection,
                       "HTTP/1.1 " + reply.status + "\r\n" + reply.more_headers +
                           "Content-Type: text/plain\r\nContent-Length: " + std::to_string(reply.body.size()) +
                           "\r\nConnection: close\r\n\r\n" + reply.body);
}

}  // namespace ingot::test
