#include "tests/unit/daemon/api/served.h"

namespace ingot::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

}  // namespace
}  // namespace ingot::api
