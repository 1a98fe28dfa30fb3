#include "client/transport/http.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

std::string read_all(HttpConnection& connection) {
  std::string body;
  auto read = connection.read_body([&](std::string_view bytes) {
    body += bytes;
    return true;
  });
  return read ? body : proto::render(read.error());
}

std::string large_text() {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST(HttpConnection, says_what_to_start_when_nobody_listens) {
  auto opened = HttpConnection::open("/nowhere/s");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(proto::render(opened.error()),
            "no daemon answers at /nowhere/s: No such file or directory\n"
            "hint: start it with `systemctl start ingotd`, or a private one with `ingotd --state-dir DIR --socket "
            "PATH` and point INGOT_SOCKET to it");
}

TEST(HttpConnection, a_socket_that_a_dead_daemon_left_is_no_daemon) {
  test::TempDirectory directory;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (directory / "s").c_str(), sizeof address.sun_path - 1);
  {
    sys::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  auto opened = HttpConnection::open(directory / "s");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(opened.error().message, "no daemon answers at " + (directory / "s").string() + ": Connection refused");
}

TEST(HttpConnection, names_the_group_of_a_socket_that_is_not_ours) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{}; });
  ASSERT_EQ(chmod(daemon.socket().c_str(), 0), 0);
  ASSERT_EQ(chmod(std::filesystem::path(daemon.socket()).parent_path().c_str(), 0755), 0);
  struct stat status {};
  ASSERT_EQ(stat(daemon.socket().c_str(), &status), 0);
  const group* owner = getgrgid(status.st_gid);
  const std::string name = owner != nullptr ? owner->gr_name : std::to_string(status.st_gid);
  const std::string expected = "you may not use the socket " + daemon.socket() + ": it is for members of group \"" +
                               name + "\"\nhint: `sudo usermod -aG " + name + " $USER`, then log in again";
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(3);
    auto opened = HttpConnection::open(daemon.socket());
    if (opened || opened.error().kind != ErrorKind::denied) _exit(1);
    _exit(proto::render(opened.error()) == expected ? 0 : 2);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(WEXITSTATUS(result), 0);
}

TEST(HttpConnection, refuses_a_socket_path_that_the_kernel_cannot_take) {
  auto opened = HttpConnection::open("/" + std::string(120, 'x'));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  EXPECT_EQ(opened.error().hint, "the kernel takes at most 107 bytes");
}

TEST(HttpConnection, sends_many_requests_over_one_connection) {
  FakeDaemon daemon([](const FakeRequest& request) { return FakeAnswer{200, request.method + request.body}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  for (const char* body : {"a", "", "ccc"}) {
    auto head = connection->send({"POST", "/x", {{"X-Thing", "1"}}, body});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(read_all(*connection), std::string("POST") + body);
  }
  const auto requests = daemon.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].connection, 0);
  EXPECT_EQ(requests[2].headers.at("ingot-api"), "1");
  EXPECT_EQ(requests[2].headers.at("x-thing"), "1");
}

TEST(HttpConnection, a_head_answer_has_no_body) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{200, "1234"}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  for (int i = 0; i < 2; ++i) {
    auto head = connection->send({"HEAD", "/x", {}, ""});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->headers["content-length"], "4");
    EXPECT_EQ(read_all(*connection), "");
  }
}

TEST(HttpConnection, joins_chunks) {
  const std::string large = large_text();
  FakeDaemon daemon([&](const FakeRequest&) { return FakeAnswer{200, "", {}, {"one\r\n", "2", large}}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(connection->send({"GET", "/x", {}, ""}));
    EXPECT_EQ(read_all(*connection), "one\r\n2" + large);
  }
}

TEST(HttpConnection, a_chunk_length_that_is_none_is_a_broken_connection) {
  FakeDaemon daemon([](const FakeRequest&) {
    return FakeAnswer{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", .close = true};
  });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->send({"GET", "/x", {}, ""}));
  EXPECT_EQ(read_all(*connection),
            "the connection to the daemon broke: \"zz\" is no length of a chunk\n"
            "hint: it may have been restarted; try again");
}

TEST(HttpConnection, reads_large_bodies_both_ways) {
  const std::string large = large_text();
  FakeDaemon daemon([&](const FakeRequest&) { return FakeAnswer{200, large}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->send({"GET", "/x", {}, ""}));
  EXPECT_EQ(read_all(*connection), large);
  ASSERT_TRUE(connection->send({"GET", "/x", {}, ""}));
  std::string body;
  std::vector<char> block(10'007);
  while (true) {
    auto got = connection->read_some(block.data(), block.size());
    ASSERT_TRUE(got);
    if (*got == 0) break;
    body.append(block.data(), *got);
  }
  EXPECT_EQ(body, large);
}

TEST(HttpConnection, tells_of_a_body_that_ends_early) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{.body = std::string(1000, 'x'), .cut = 500}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->send({"GET", "/x", {}, ""}));
  EXPECT_EQ(read_all(*connection),
            "the connection to the daemon broke: it was closed\nhint: it may have been restarted; try again");
}

TEST(HttpConnection, an_answer_without_length_is_no_empty_body) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{.raw = "HTTP/1.1 200 OK\r\n\r\nabc", .close = true}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  auto head = connection->send({"GET", "/x", {}, ""});
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().message, "the connection to the daemon broke: its answer has no length");
}

TEST(HttpConnection, tells_a_program_that_is_no_ingotd) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{.raw = "220 mail ESMTP\r\n", .close = true}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  auto head = connection->send({"GET", "/x", {}, ""});
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(proto::render(head.error()),
            "what answers at the socket speaks no HTTP, so it is no ingotd\n"
            "hint: --socket or INGOT_SOCKET may name the socket of another program");
}

TEST(HttpConnection, an_answer_that_comes_before_the_body_was_read_counts) {
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{.status = 413, .body = "no", .close = true}; }, false);
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  auto head = connection->send({"POST", "/x", {}, std::string(5 << 20, 'x')});
  ASSERT_TRUE(head) << proto::render(head.error());
  EXPECT_EQ(head->status, 413);
  EXPECT_EQ(read_all(*connection), "no");
}

TEST(HttpConnection, sends_a_file_and_notices_when_it_shrank) {
  test::TempDirectory directory;
  const std::string large = large_text();
  auto file = sys::open_file(directory.file("f", large), O_RDONLY);
  ASSERT_TRUE(file);
  FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{201}; });
  auto connection = HttpConnection::open(daemon.socket());
  ASSERT_TRUE(connection);
  HttpRequest request{"PUT", "/v1/blobs/x", {}, ""};
  request.file = file->get();
  request.file_size = large.size();
  ASSERT_TRUE(connection->send(request));
  EXPECT_EQ(daemon.requests().front().body, large);

  request.file_size = large.size() + 1;
  auto head = connection->send(request);
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::conflict);
  EXPECT_EQ(head.error().message, "a file became shorter while it was sent");
}

TEST(PercentEncode, leaves_nothing_that_means_something_in_a_target) {
  EXPECT_EQ(percent_encode("a-Z_0.~"), "a-Z_0.~");
  EXPECT_EQ(percent_encode("a b/c?d=e&f\r\n%ü"), "a%20b%2Fc%3Fd%3De%26f%0D%0A%25%C3%BC");
}

}  // namespace
}  // namespace ingot::client
