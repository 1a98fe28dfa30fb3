#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "daemon/sys/fd.h"

namespace ingot::test {

struct HttpAsked {
  std::string path;
  std::string head;  // the lines up to the empty one
  std::string body;
};
struct HttpReply {
  std::string status = "200 OK";
  std::string body;
  std::string more_headers;  // each with its end of line
};

// An HTTP server on loopback that answers one connection after another, by a function of the test's on a thread of its
// own.
class HttpServer {
 public:
  explicit HttpServer(std::function<HttpReply(const HttpAsked&)> answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  int port() const { return port_; }

 private:
  void serve();
  void answer(int connection) const;

  const std::function<HttpReply(const HttpAsked&)> answer_;
  sys::UniqueFd socket_;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace ingot::test
