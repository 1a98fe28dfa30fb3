#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/sys/fd.h"
#include "tests/support/temp.h"

namespace ingot::client {

struct FakeRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::optional<std::string> passed{};  // all of the file whose descriptor came with the head
  int connection = 0;                   // counts from 0
};

struct FakeAnswer {
  int status = 200;
  std::string body{};
  std::map<std::string, std::string> headers{};
  std::vector<std::string> chunks{};    // set: a chunked body of these
  std::string raw{};                    // set: these bytes, whatever they are
  std::size_t cut = std::string::npos;  // of the answer's bytes only so many are sent, and the connection is closed
  bool close = false;                   // after the answer
};

// A server on a Unix socket that answers as a test says. A thread for every connection; ends with the object.
class FakeDaemon {
 public:
  using Handler = std::function<FakeAnswer(const FakeRequest&)>;
  // With `read_bodies` false a request is answered as soon as its head is there.
  explicit FakeDaemon(Handler handler, bool read_bodies = true);
  ~FakeDaemon();

  std::string socket() const { return directory_ / "s"; }
  std::vector<FakeRequest> requests() const;
  std::size_t count(const std::string& method, const std::string& target) const;

  std::atomic<bool> drops_descriptors = false;  // as a tunnel does

 private:
  void accept_all();
  void serve(int fd, int number);
  bool read_request(int fd, std::string& buffer, FakeRequest& request) const;

  test::TempDirectory directory_;
  Handler handler_;
  bool read_bodies_;
  sys::UniqueFd listening_;
  mutable std::mutex mutex_;  // guards all below
  std::vector<FakeRequest> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread acceptor_;
};

}  // namespace ingot::client
