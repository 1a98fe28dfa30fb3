#include "tests/support/file_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "proto/base64.h"

namespace ingot::test {

FileServer::FileServer(std::filesystem::path directory, const std::string& user, const std::string& password)
    : directory_(std::move(directory)),
      authorization_("Authorization: Basic " + proto::base64_encode(user + ":" + password) + "\r\n"),
      socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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

FileServer::~FileServer() {
  ended_ = true;
  thread_.join();
}

void FileServer::serve() {
  while (!ended_) {
    pollfd wait{socket_.get(), POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0) continue;
    sys::UniqueFd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) answer(connection.get());
  }
}

void FileServer::answer(int connection) const {
  std::string request;
  char part[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = read(connection, part, sizeof part);
    if (got <= 0) return;
    request.append(part, static_cast<std::size_t>(got));
  }
  const std::size_t begin = request.find(' ') + 1;
  const std::string path = request.substr(begin, request.find_first_of(" ?", begin) - begin);
  const auto file = directory_ / path.substr(1);
  std::string status = "200 OK";
  std::string more;
  std::string body;
  if (request.find(authorization_) == std::string::npos) {
    status = "401 Unauthorized";
    more = "WWW-Authenticate: Basic realm=\"git\"\r\n";
  } else if (!std::filesystem::is_regular_file(file)) {
    status = "404 Not Found";
  } else {
    body = slurp(file);
  }
  const std::string answer = "HTTP/1.1 " + status + "\r\n" + more +
                             "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
                             "\r\nConnection: close\r\n\r\n" + body;
  (void)sys::write_all(connection, answer);
}

}  // namespace ingot::test
