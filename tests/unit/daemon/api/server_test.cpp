#include "daemon/api/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/support/temp.h"

// A real server on a real socket, spoken to byte by byte.
namespace ingot::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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
  static Result<proto::Plan> plan(const proto::JobSpec&) { return proto::Plan{}; }
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

TEST_F(ServerTest, requests_that_come_at_once_are_answered_in_order) {
  start();
  auto wire = connect();
  wire.send(
      "GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(wire.read_until(kEnd), HasSubstr("\"version\":\"9.9.9\""));
  EXPECT_THAT(wire.read_until(kEnd), HasSubstr("{\"jobs\":[]}"));
  EXPECT_THAT(wire.read_until(kEnd), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ServerTest, a_request_may_come_byte_by_byte) {
  start();
  auto wire = connect();
  for (const char byte : std::string("GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
    ASSERT_EQ(wire.send({&byte, 1}), 1U);
  }
  EXPECT_THAT(wire.read_all(), HasSubstr("\"version\":\"9.9.9\"")) << "and the connection ends, as asked";
  EXPECT_TRUE(wire.closed());
}

TEST_F(ServerTest, what_is_no_http_is_told_so) {
  start();
  auto wire = connect();
  wire.send("hello\r\n\r\n");
  EXPECT_THAT(wire.read_all(), testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("this is no HTTP/1.1 request")));
  auto greedy = connect();
  greedy.send("GET /v1/version HTTP/1.1\r\nX: " + std::string(40 << 10, 'x') + "\r\n\r\n");
  EXPECT_THAT(greedy.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, a_body_that_is_announced_too_large_is_refused_before_it_is_sent) {
  settings.max_body_bytes = 100;
  start();
  auto wire = connect();
  wire.send("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = wire.read_until(kEnd);
  EXPECT_THAT(answer, testing::AnyOf(StartsWith("HTTP/1.1 413 "), HasSubstr("\r\n\r\nHTTP/1.1 413 ")));
  EXPECT_THAT(answer, HasSubstr("the body of this request may have 100 B"));
}

TEST_F(ServerTest, a_body_in_chunks_is_bounded_too_and_the_answer_still_arrives) {
  settings.max_body_bytes = 100;
  start();
  auto wire = connect();
  wire.send("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 16; ++i) wire.send(chunk);
  EXPECT_THAT(wire.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, expect_is_answered_and_a_blob_is_kept_only_when_it_is_what_it_says) {
  start();
  const auto digest = base::Digest::of("some bytes");
  auto wire = connect();
  const auto put = [&](const std::string& body) {
    wire.send("PUT /v1/blobs/" + digest.str() + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(wire.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(body);
    return wire.read_until("\n");
  };
  EXPECT_THAT(put("other bytes"), StartsWith("HTTP/1.1 400 "));
  wire.read_until(kEnd);
  EXPECT_FALSE(blobs.has(digest));
  EXPECT_THAT(put("some bytes"), StartsWith("HTTP/1.1 20"));
  EXPECT_TRUE(blobs.has(digest));
}

TEST_F(ServerTest, a_file_over_the_limit_is_refused_also_when_its_size_was_not_announced) {
  start();
  const auto digest = base::Digest::of("x");
  auto wire = connect();
  wire.send("PUT /v1/blobs/" + digest.str() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
  EXPECT_THAT(wire.read_all(), StartsWith("HTTP/1.1 413 "));
  auto chunked = connect();
  chunked.send("PUT /v1/blobs/" + digest.str() + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "40000\r\n" + std::string(0x40000, 'x') + "\r\n";
  for (int i = 0; i < 6; ++i) chunked.send(chunk);
  EXPECT_THAT(chunked.read_all(), StartsWith("HTTP/1.1 413 "));
  EXPECT_FALSE(blobs.has(digest));
}

TEST_F(ServerTest, a_follower_is_told_what_happens_until_the_end) {
  start();
  const std::string id = start_job();
  auto wire = connect();
  wire.send("GET /v1/jobs/" + id + "/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
  say("first words");
  EXPECT_THAT(wire.read_until("first words"), HasSubstr("Transfer-Encoding: chunked"));
  say("more words");
  EXPECT_THAT(wire.read_until("more words"), HasSubstr("more words"));
  done = true;
  EXPECT_THAT(wire.read_until("\r\n0\r\n\r\n"), HasSubstr("\"state\":\"succeeded\""));
  wire.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(wire.read_until(kEnd), HasSubstr("9.9.9")) << "the connection goes on";
}

TEST_F(ServerTest, a_follower_that_reads_nothing_holds_nobody_up_and_misses_nothing) {
  start();
  const std::string id = start_job();
  auto slow = connect(4096);
  slow.send("GET /v1/jobs/" + id + "/events?follow=true HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 3000; ++i) say(std::to_string(i) + std::string(1000, '.'));
  auto quick = connect();
  quick.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(quick.read_until(kEnd), HasSubstr("9.9.9"));
  done = true;
  const std::string all = slow.read_all();
  std::size_t at = 0;
  for (int i = 0; i < 3000; ++i) {
    at = all.find("\"" + std::to_string(i) + "....", at);
    ASSERT_NE(at, std::string::npos) << "line " << i;
  }
}

TEST_F(ServerTest, stop_ends_open_streams_uploads_and_idle_connections) {
  start();
  const std::string id = start_job();
  auto stream = connect();
  stream.send("GET /v1/jobs/" + id + "/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
  stream.read_until("\r\n\r\n");
  auto upload = connect();
  upload.send("PUT /v1/blobs/" + base::Digest::of("x").str() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab");
  auto idle = connect();
  idle.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.read_until(kEnd);
  server->stop();
  stream.read_all();
  EXPECT_TRUE(stream.closed());
  EXPECT_TRUE(upload.closed());
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(fs::exists(settings.socket_path));
  EXPECT_FALSE(connect().connected());
}

TEST_F(ServerTest, hundreds_of_idle_connections_are_kept_and_one_too_many_is_told_why) {
  settings.max_connections = 200;
  start();
  std::vector<Wire> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(connect());
    ASSERT_TRUE(idle.back().connected());
  }
  // The last of them is surely accepted once it was answered.
  idle.back().send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.back().read_until(kEnd);
  auto refused = connect();
  EXPECT_THAT(refused.read_all(), testing::AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("socket.max_connections")));
  idle.front().send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(idle.front().read_until(kEnd), HasSubstr("9.9.9"));
}

TEST_F(ServerTest, a_push_is_told_line_by_line_with_its_end_last) {
  start();
  auto wire = connect();
  wire.send(push_of("good"));
  const std::string told = wire.read_until("\r\n0\r\n\r\n");
  EXPECT_THAT(told, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(told, HasSubstr("{\"text\":\"it begins\"}\n"));
  EXPECT_LT(told.find("it begins"), told.find("\"sent_bytes\":10"));
  wire.send(push_of("bad"));
  EXPECT_THAT(wire.read_until("\r\n0\r\n\r\n"), HasSubstr("{\"error\":{\"kind\":\"denied\",\"message\":\"no\"}}\n"));
  wire.send(push_of("wrong"));
  EXPECT_THAT(wire.read_until(kEnd), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, a_push_ends_with_its_client_and_with_the_daemon) {
  start();
  const int before = canceled_pushes();
  {
    auto wire = connect();
    wire.send(push_of("endless"));
    EXPECT_THAT(wire.read_until("it begins"), HasSubstr("it begins"));
  }
  for (int i = 0; i < 400 && canceled_pushes() == before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(canceled_pushes(), before + 1);
  auto wire = connect();
  wire.send(push_of("endless"));
  wire.read_until("it begins");
  server->stop();
  EXPECT_EQ(canceled_pushes(), before + 2);
}

TEST_F(ServerTest, a_client_of_a_newer_api_gets_a_sentence) {
  start();
  auto wire = connect();
  wire.send("GET /v1/version HTTP/1.1\r\nHost: x\r\nIngot-Api: 99\r\n\r\n");
  wire.read_until(kEnd);  // the version itself is for everyone
  auto other = connect();
  other.send("GET /v1/jobs HTTP/1.1\r\nHost: x\r\nIngot-Api: 0\r\n\r\n");
  EXPECT_THAT(other.read_all(), Not(StartsWith("HTTP/1.1 200 ")));
}

TEST_F(ServerTest, a_live_socket_is_refused_and_a_dead_one_replaced) {
  start();
  auto second = Server::listen(
      settings, {*queue, blobs, composed, contexts, cache, version(), [] { return checks(); }, plan, push});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  server.reset();
  // What a daemon leaves that was killed: a socket file behind which nobody listens.
  {
    const sys::UniqueFd dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    settings.socket_path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  start();
  auto wire = connect();
  wire.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(wire.read_until(kEnd), HasSubstr("9.9.9"));
}

// A file with these bytes, open.
class OpenFile {
 public:
  OpenFile(const test::TempDirectory& directory, const std::string& text)
      : size_(text.size()),
        digest_(base::Digest::of(text).str()),
        fd_(*sys::open_file(directory.file("open file", text), O_RDONLY)) {}
  int fd() const { return fd_.get(); }
  std::string digest() const { return digest_; }
  std::string put(const std::string& more = "") const {
    return "PUT /v1/blobs/" + digest() + " HTTP/1.1\r\nHost: x\r\nIngot-Descriptor: " + std::to_string(size_) + "\r\n" +
           (more.empty() ? "Content-Length: 0\r\n\r\n" : more);
  }

 private:
  std::size_t size_;
  std::string digest_;
  sys::UniqueFd fd_;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST_F(ServerTest, a_file_may_come_as_a_descriptor) {
  start();
  auto wire = connect();
  for (const std::string text : {"first", "second", "second", ""}) {
    const OpenFile file(directory, text);
    wire.send_with(file.put(), {file.fd()});
    EXPECT_THAT(wire.read_until(kEnd), testing::AllOf(StartsWith("HTTP/1.1 201 "), HasSubstr(file.digest())));
    EXPECT_EQ(test::slurp(blobs.path(*base::Digest::parse(file.digest()))), text);
  }
  const OpenFile file(directory, "in small pieces");
  const std::string request = file.put("Expect: 100-continue\r\nContent-Length: 0\r\n\r\n");
  wire.send_with(request.substr(0, 1), {file.fd()});
  wire.send(request.substr(1, 20));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  wire.send(request.substr(21));
  EXPECT_THAT(wire.read_until(kEnd), testing::AllOf(HasSubstr("100 Continue"), HasSubstr("HTTP/1.1 201 ")));
}

TEST_F(ServerTest, what_is_wrong_with_a_descriptor_is_told_and_the_connection_goes_on) {
  start();
  auto wire = connect();
  const OpenFile file(directory, "text");
  const auto refused = [&](const std::vector<int>& descriptors) {
    descriptors.empty() ? static_cast<void>(wire.send(file.put())) : wire.send_with(file.put(), descriptors);
    return wire.read_until(kEnd);
  };
  EXPECT_THAT(refused({}), testing::AllOf(StartsWith("HTTP/1.1 501 "), HasSubstr("no descriptor came")));
  const auto before = open_descriptors();
  EXPECT_THAT(refused({file.fd(), file.fd()}), HasSubstr("more than one descriptor came"));
  EXPECT_THAT(refused(std::vector<int>(50, file.fd())), HasSubstr("more than one descriptor came"));
  int ends[2] = {};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const sys::UniqueFd end(ends[0]);
  const sys::UniqueFd other(ends[1]);
  EXPECT_THAT(refused({ends[0]}), HasSubstr("not that of a regular file"));
  // One that nobody asked for.
  wire.send_with("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n", {file.fd()});
  EXPECT_THAT(wire.read_until(kEnd), HasSubstr("9.9.9"));
  EXPECT_THAT(refused({}), HasSubstr("no descriptor came")) << "that one was for the request before";
  EXPECT_THAT(refused({file.fd()}), StartsWith("HTTP/1.1 201 "));
  const auto closed = [&] { return open_descriptors() <= before + 2; };  // the pipe's are ours
  for (int i = 0; i < 500 && !closed(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(closed());
}

TEST_F(ServerTest, a_descriptor_and_a_body_are_one_too_many) {
  start();
  auto wire = connect();
  const OpenFile file(directory, "text");
  wire.send_with(file.put("Content-Length: 4\r\n\r\ntext"), {file.fd()});
  EXPECT_THAT(wire.read_all(), testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("has no body")));
  EXPECT_FALSE(blobs.has(*base::Digest::parse(file.digest())));
}

TEST_F(ServerTest, equal_files_at_once_are_written_once) {
  limit_files(256U << 20);
  start();
  const OpenFile file(directory, std::string(64U << 20, 'x'));
  std::vector<Wire> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(connect());
    clients.back().send_with(file.put(), {file.fd()});
  }
  std::size_t most_at_once = 0;
  for (int i = 0; i < 10'000 && !blobs.has(*base::Digest::parse(file.digest())); ++i) {
    const auto now = std::distance(fs::directory_iterator(directory / "blobs/tmp"), fs::directory_iterator());
    most_at_once = std::max<std::size_t>(most_at_once, now);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (auto& client : clients) EXPECT_THAT(client.read_until(kEnd), StartsWith("HTTP/1.1 201 "));
  EXPECT_EQ(most_at_once, 1U);
  EXPECT_EQ(blobs.ledger().totals().written_bytes, 64U << 20);
}

TEST_F(ServerTest, when_one_that_sends_fails_or_goes_the_next_takes_over) {
  limit_files(256U << 20);
  start();
  const std::string text(64U << 20, 'x');
  const OpenFile file(directory, text);
  const auto wrong = *sys::open_file(directory.file("wrong", std::string(text.size(), 'y')), O_RDONLY);
  auto first = std::make_unique<Wire>(connect());
  first->send_with(file.put(), {file.fd()});
  wait_for_a_copy();
  auto second = connect();
  second.send_with(file.put(), {wrong.get()});
  auto third = std::make_unique<Wire>(connect());
  third->send_with(file.put(), {file.fd()});
  auto last = connect();
  last.send_with(file.put(), {file.fd()});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  first.reset();
  third.reset();
  EXPECT_THAT(second.read_until(kEnd), StartsWith("HTTP/1.1 ")) << "whether the first had ended it is a matter of luck";
  EXPECT_THAT(last.read_until(kEnd), StartsWith("HTTP/1.1 201 "));
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
}

TEST_F(ServerTest, stop_ends_files_that_are_being_copied_and_those_that_wait) {
  limit_files(8ULL << 30);
  start();
  const auto large = directory.file("large", "");
  ASSERT_EQ(truncate(large.c_str(), 4LL << 30), 0);
  const auto open = *sys::open_file(large, O_RDONLY);
  const std::string put = "PUT /v1/blobs/" + base::Digest::of("x").str() +
                          " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nIngot-Descriptor: 4294967296\r\n\r\n";
  std::vector<Wire> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connect());
    clients.back().send_with(put, {open.get()});
  }
  wait_for_a_copy();
  const auto begin = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  for (auto& client : clients) EXPECT_TRUE(client.closed());
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
}

}  // namespace
}  // namespace ingot::api
