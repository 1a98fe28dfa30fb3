#include "client/transport/daemon.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/codec.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

std::string job_text(const std::string& id) {
  proto::Job job;
  job.id = id;
  job.spec.target = "+t";
  job.spec.context = "sha256:" + std::string(64, 'a');
  return proto::dump(proto::to_json(job));
}

std::string event_line(std::uint64_t seq) {
  proto::Event event;
  event.seq = seq;
  event.text = "event " + std::to_string(seq);
  return proto::dump(proto::to_json(event)) + "\n";
}

TEST(Daemon, an_error_answer_is_its_error) {
  FakeDaemon fake([](const FakeRequest&) {
    return FakeAnswer{404, R"({"kind":"not_found","message":"no such job","hint":"look again","more":1})"};
  });
  auto job = Daemon(fake.socket()).job("abc");
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().kind, ErrorKind::not_found);
  EXPECT_EQ(proto::render(job.error()), "no such job\nhint: look again");
}

TEST(Daemon, an_error_answer_that_is_no_json_names_its_status) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{502, "<html>"}; });
  auto job = Daemon(fake.socket()).job("abc");
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().message, "the daemon answered with status 502");
}

TEST(Daemon, an_answer_of_another_version_is_told_as_such) {
  FakeDaemon fake([](const FakeRequest& request) {
    return FakeAnswer{200, request.target == "/v1/jobs" ? R"({"list":[]})" : R"({"id":7})"};
  });
  Daemon daemon(fake.socket());
  auto jobs = daemon.jobs("");
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(proto::render(jobs.error()),
            "cannot understand the daemon's answer: it has no list \"jobs\"\n"
            "hint: client and daemon may be of different versions: see `ingot version`");
  auto job = daemon.job("x");
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().message,
            "cannot understand the daemon's answer: field \"context\" of a job specification is missing");
}

TEST(Daemon, a_submission_whose_answer_was_lost_is_sent_once_more) {
  FakeDaemon fake([](const FakeRequest& request) {
    if (request.connection == 0) return FakeAnswer{.status = 201, .body = job_text("j1"), .cut = 10};
    return FakeAnswer{201, job_text("j1")};
  });
  proto::JobSpec spec;
  spec.target = "+t";
  spec.idempotency_key = "k";
  auto job = Daemon(fake.socket()).submit(spec);
  ASSERT_TRUE(job) << proto::render(job.error());
  EXPECT_EQ(job->id, "j1");
  const auto requests = fake.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_NE(requests[0].body.find(R"("idempotency_key":"k")"), std::string::npos);
}

TEST(Daemon, a_submission_that_cannot_be_recognised_is_sent_once_only) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{.cut = 0}; });
  auto job = Daemon(fake.socket()).submit({});
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(fake.requests().size(), 1U);
}

TEST(Daemon, a_kept_connection_that_the_daemon_closed_is_made_again) {
  FakeDaemon fake([first = true](const FakeRequest& request) mutable {
    if (request.connection == 0 && !std::exchange(first, false)) return FakeAnswer{.cut = 0};
    return FakeAnswer{200, job_text("j1")};
  });
  Daemon daemon(fake.socket());
  EXPECT_TRUE(daemon.job("j1"));
  EXPECT_TRUE(daemon.job("j1"));
  EXPECT_EQ(fake.requests().size(), 3U);
}

TEST(Daemon, calls_share_a_connection) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{200, job_text("j1")}; });
  Daemon daemon(fake.socket());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(daemon.job("j1"));
  for (const auto& request : fake.requests()) EXPECT_EQ(request.connection, 0);
}

TEST(Daemon, a_job_id_cannot_change_the_route) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{200, job_text("j1")}; });
  EXPECT_TRUE(Daemon(fake.socket()).job("../x y?z"));
  EXPECT_EQ(fake.requests().front().target, "/v1/jobs/..%2Fx%20y%3Fz");
}

TEST(Daemon, events_come_whole_however_the_chunks_fall) {
  const std::string text = event_line(3) + event_line(4) + event_line(5);
  FakeDaemon fake([&](const FakeRequest&) {
    return FakeAnswer{200, "", {}, {text.substr(0, 7), text.substr(7, 1), text.substr(8)}};
  });
  std::vector<std::string> texts;
  auto read = Daemon(fake.socket()).events("j", 3, true, [&](const proto::Event& event) {
    texts.push_back(event.text);
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(texts, (std::vector<std::string>{"event 3", "event 4", "event 5"}));
  EXPECT_EQ(fake.requests().front().target, "/v1/jobs/j/events?from=3&follow=true");
}

TEST(Daemon, the_reader_of_events_can_stop) {
  FakeDaemon fake([&](const FakeRequest&) { return FakeAnswer{200, "", {}, {event_line(0), event_line(1)}}; });
  int seen = 0;
  EXPECT_TRUE(Daemon(fake.socket()).events("j", 0, false, [&](const proto::Event&) { return ++seen < 1; }));
  EXPECT_EQ(seen, 1);
}

TEST(Daemon, a_stream_of_events_that_breaks_is_no_end) {
  FakeDaemon fake([&](const FakeRequest&) { return FakeAnswer{.chunks = {event_line(0), event_line(1)}, .cut = 160}; });
  int seen = 0;
  auto read = Daemon(fake.socket()).events("j", 0, true, [&](const proto::Event&) { return ++seen > 0; });
  EXPECT_EQ(seen, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::unavailable);
}

TEST(Daemon, a_download_goes_on_only_if_the_artifact_is_the_same) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{206, "rest"}; });
  proto::Artifact artifact;
  artifact.id = "2";
  artifact.digest = "sha256:" + std::string(64, 'b');
  auto download = Daemon(fake.socket()).download("j", artifact, 100, false);
  ASSERT_TRUE(download);
  EXPECT_EQ(download->head.status, 206);
  const auto request = fake.requests().front();
  EXPECT_EQ(request.target, "/v1/jobs/j/artifacts/2");
  EXPECT_EQ(request.headers.at("range"), "bytes=100-");
  EXPECT_EQ(request.headers.at("if-range"), "\"" + artifact.digest + "\"");
}

}  // namespace
}  // namespace ingot::client
