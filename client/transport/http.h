#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/files.h"

namespace ingot::client {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // "/v1/jobs?limit=3"
  std::map<std::string, std::string> headers;
  std::string body;
  // Set: the body is this many bytes of this file instead.
  int file = -1;
  std::uint64_t file_size = 0;
};

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
};

// One connection to the daemon's Unix socket, request after request. Blocking; for one thread.
class HttpConnection {
 public:
  // Kind `unavailable` when nobody listens there, `denied` without permission, both with the cure.
  static Result<HttpConnection> open(const std::string& socket_path);

  // Sends the request and reads the answer's head. The body must be read to its end before the next request.
  Result<HttpHead> send(const HttpRequest& request);
  // Hands the body's bytes to `sink` as they come; false from it stops, and ends the connection's use.
  using Sink = std::function<bool(std::string_view)>;
  Status read_body(const Sink& sink);
  int fd() const { return fd_.get(); }

 private:
  explicit HttpConnection(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  Status fill();  // at least one more byte into buffer_
  Result<std::string> read_line();
  Status send_file(int file, std::uint64_t size);
  Status pass_bytes(std::uint64_t size, const Sink& sink);
  Status pass_chunks(const Sink& sink);

  sys::UniqueFd fd_;
  std::string buffer_;  // received, not yet used
  HttpHead head_;
  bool no_body_ = false;
};

}  // namespace ingot::client
