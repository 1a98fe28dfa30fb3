#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/api/server.h"
#include "tests/support/temp.h"

// A real server on a real socket, spoken to byte by byte.
namespace ingot::api {

class Wire {
 public:
  explicit Wire(const fs::path& path, int receive_buffer = 0) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  // What the server takes of it within a second; less than all when the server closed or does not read.
  std::size_t send(std::string_view text) const {
    std::size_t sent = 0;
    while (sent < text.size() && ready(POLLOUT, 1000)) {
      const ssize_t size = ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size <= 0) break;
      sent += static_cast<std::size_t>(size);
    }
    return sent;
  }
  // All at once, with descriptors beside it.
  void send_with(const std::string& text, const std::vector<int>& descriptors) const {
    iovec bytes{const_cast<char*>(text.data()), text.size()};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr message{nullptr, 0, &bytes, 1, control.data(), control.size(), 0};
    cmsghdr* attached = CMSG_FIRSTHDR(&message);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(attached), descriptors.data(), descriptors.size() * sizeof(int));
    EXPECT_EQ(sendmsg(fd_.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // Reads until `mark` was seen, the server closes, or ten seconds have passed. What follows the mark is kept.
  std::string read_until(const std::string& mark) {
    while (true) {
      if (const auto at = text_.find(mark); at != std::string::npos) {
        std::string before = text_.substr(0, at + mark.size());
        text_.erase(0, before.size());
        return before;
      }
      if (!read_some()) return std::exchange(text_, "");
    }
  }
  std::string read_all() {
    while (read_some()) continue;
    return std::exchange(text_, "");
  }
  bool closed() { return !read_some() && ended_; }

 private:
  bool ready(short what, int milliseconds) const {
    pollfd waited{fd_.get(), what, 0};
    return poll(&waited, 1, milliseconds) == 1;
  }
  bool read_some() {
    char part[64 << 10];
    if (!ready(POLLIN, 10'000)) return false;
    const ssize_t size = recv(fd_.get(), part, sizeof part, 0);
    ended_ = size <= 0;
    if (size > 0) text_.append(part, static_cast<std::size_t>(size));
    return size > 0;
  }
  sys::UniqueFd fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string text_;
};

const std::string kEnd = "}\n";  // of every JSON answer

class ServerTest : public testing::Test {
 protected:
  ServerTest()
      : database(*db::Database::open(directory / "x.db")),
        blobs(*store::BlobStore::open(directory / "blobs")),
        composed(*database, blobs),
        contexts(*store::ContextStore::open(directory / "contexts", blobs, limits())),
        snapshots(*store::SnapshotStore::open(directory / "snapshots", *database)),
        cache(snapshots, *database, 0),
        queue(*jobs::JobQueue::open(*database, directory / "logs", {}, base::system_clock())) {
    settings.socket_path = directory / "s";
  }
  static store::ContextLimits limits() {
    store::ContextLimits small;
    small.max_file_bytes = 1U << 20;
    return small;
  }
  void limit_files(std::uint64_t bytes) {
    store::ContextLimits large;
    large.max_file_bytes = bytes;
    contexts = *store::ContextStore::open(directory / "contexts", blobs, large);
  }
  // Until one is under way; it may be over before it is seen, so that this ends by itself.
  void wait_for_a_copy() const {
    for (int i = 0; i < 2000 && fs::is_empty(directory / "blobs/tmp"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static Result<proto::Plan> plan(const proto::JobSpec&, const proto::Secrets&) { return proto::Plan{}; }
  // What a push does, as the test says.
  static Result<PushWork> push(const proto::ImagePush& wanted) {
    if (wanted.name == "wrong") return base::fail(ErrorKind::invalid, "no name");
    return PushWork([wanted](const auto& tell, const sys::CancelToken& cancel) -> Result<proto::ImagePushed> {
      tell("it begins");
      while (wanted.name == "endless" && !cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (cancel.canceled()) {
        ++canceled_pushes();
        return base::fail(ErrorKind::canceled, "canceled");
      }
      if (wanted.name == "bad") return base::fail(ErrorKind::denied, "no");
      return proto::ImagePushed{wanted.name, wanted.digest, 30, 10};
    });
  }
  static std::atomic<int>& canceled_pushes() {
    static std::atomic<int> count = 0;
    return count;
  }
  static std::string push_of(const std::string& name) {
    const std::string body = R"({"digest":"sha256:x","name":")" + name + "\"}";
    return "POST /v1/images/push HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  void start() {
    auto listening = Server::listen(
        settings, {*queue, blobs, composed, contexts, cache, version(), [] { return checks(); }, plan, push});
    ASSERT_TRUE(listening) << proto::render(listening.error());
    server = std::move(*listening);
    server->start();
  }
  static proto::VersionInfo version() {
    proto::VersionInfo info;
    info.version = "9.9.9";
    return info;
  }
  static std::vector<proto::HostCheck> checks() { return {}; }
  Wire connect(int receive_buffer = 0) { return Wire(settings.socket_path, receive_buffer); }

  // A job whose log grows by one line of `size` bytes at each call of `say`, and which ends at `let_go`.
  std::string start_job() {
    queue->start([this](jobs::JobRun& run) -> Status {
      log = &run.log;
      while (!done && !run.cancel.canceled()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return {};
    });
    proto::JobSpec spec;
    spec.context = "sha256:" + std::string(64, 'a');
    spec.target = "+a";
    const std::string id = queue->submit(spec, {1, 1, "me"})->id;
    while (log == nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return id;
  }
  void say(const std::string& text) const { log.load()->append_output("1", "+a", "stdout", text + "\n"); }

  test::TempDirectory directory;
  ServerSettings settings;
  std::unique_ptr<db::Database> database;
  store::BlobStore blobs;
  store::ComposedBlobs composed;
  store::ContextStore contexts;
  store::SnapshotStore snapshots;
  store::Collector cache;
  std::atomic<bool> done = false;
  std::atomic<jobs::JobLog*> log = nullptr;
  std::unique_ptr<jobs::JobQueue> queue;
  std::unique_ptr<Server> server;
};

}  // namespace ingot::api
