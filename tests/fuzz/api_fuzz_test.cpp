#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"

// Requests that are nearly right. The seed is fixed: a failure can be repeated.
namespace ingot::test {
namespace {

constexpr int kRequests = 3000;

const std::vector<std::string> kTemplates = {
    "GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/jobs?limit=3&state=queued&label=a=b HTTP/1.1\r\nHost: x\r\nIngot-Api: 1\r\n\r\n",
    "GET /v1/jobs/abcdefgh/events?from=3&follow=true HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{\"context\":\"x\",\"target\":\"+a\"}  ",
    "POST /v1/contexts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"entries\": []}  \r\n0\r\n\r\n",
    "PUT /v1/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 HTTP/1.1\r\nHost: x\r\n"
    "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    "HEAD /v1/jobs/abc/artifacts/1 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5\r\n\r\n"};

std::string mutate(std::string text, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 6);
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      case 2:
        text.insert(at, 1 + random() % 40, static_cast<char>(random()));
        break;
      case 3:
        text.insert(at, text.substr(at, random() % 30));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

TEST(ApiFuzz, nothing_that_is_sent_takes_the_daemon_down) {
  if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  TestDaemon daemon;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, daemon.socket().c_str());
  std::mt19937 random(20260101);
  for (int i = 0; i < kRequests; ++i) {
    sys::UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << "request " << i;
    const std::string text = mutate(kTemplates[random() % kTemplates.size()], random);
    (void)send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (random() % 4 == 0) continue;  // gone before any answer
    shutdown(client.get(), SHUT_WR);
    pollfd wait{client.get(), POLLIN, 0};
    poll(&wait, 1, 20);
  }
  EXPECT_EQ(daemon.curl({"http://ingot/v1/version"}).code, 0);
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
  EXPECT_EQ(daemon.log().find("runtime error"), std::string::npos) << daemon.log();
}

}  // namespace
}  // namespace ingot::test
