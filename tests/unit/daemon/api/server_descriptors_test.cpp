#include "tests/unit/daemon/api/served.h"

namespace ingot::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

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
