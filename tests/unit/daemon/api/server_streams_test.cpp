#include "tests/unit/daemon/api/served.h"

namespace ingot::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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

}  // namespace
}  // namespace ingot::api
