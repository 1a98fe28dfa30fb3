#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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
  // Set: this descriptor travels beside the head.
  int passed = -1;
};

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
};

// For a value in a request's target: everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

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
  // For large bodies of a known length: the next bytes, straight into `to`; 0 at the end.
  Result<std::size_t> read_some(char* to, std::size_t size);
  int fd() const { return fd_.get(); }
  // After an answer 101: from here on nobody speaks HTTP on it.
  sys::UniqueFd release() { return std::move(fd_); }
  // A descriptor that came with the last answer.
  sys::UniqueFd take_passed() { return std::move(passed_); }

 private:
  explicit HttpConnection(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<std::size_t> receive(char* to, std::size_t size);  // at least one byte
  Status fill();                                            // the same, into buffer_
  std::string_view received() const { return {buffer_.data() + begin_, end_ - begin_}; }
  Result<std::string> read_line();
  Status send_text(std::string_view text);
  Status send_with_descriptor(std::string_view text, int passed);
  Status send_file(int file, std::uint64_t size);
  Result<HttpHead> read_head();
  Status pass_bytes(std::uint64_t size, const Sink& sink);
  Status pass_chunks(const Sink& sink);

  sys::UniqueFd fd_;
  sys::UniqueFd passed_;
  std::vector<char> buffer_;  // from begin_ to end_: received, not yet used
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  HttpHead head_;
  bool no_body_ = false;
  std::uint64_t body_left_ = 0;  // of a body whose length the head told
};

}  // namespace ingot::client
