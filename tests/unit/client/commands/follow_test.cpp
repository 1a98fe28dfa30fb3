#include "client/commands/follow.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "proto/codec.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

using proto::JobState;

std::string job_text(JobState state) {
  proto::Job job;
  job.id = "j1";
  job.spec.target = "+t";
  job.spec.context = "sha256:" + std::string(64, 'a');
  job.state = state;
  return proto::dump(proto::to_json(job));
}

std::string events(std::uint64_t from, std::uint64_t to) {
  std::string lines;
  for (std::uint64_t seq = from; seq < to; ++seq) {
    proto::Event event;
    event.seq = seq;
    event.text = "event " + std::to_string(seq);
    lines += proto::dump(proto::to_json(event)) + "\n";
  }
  return lines;
}

class RecordingView : public EventView {
 public:
  void event(const proto::Event& event) override { seen.push_back(event.seq); }
  void message(const std::string& line) override { messages.push_back(line); }
  std::vector<std::uint64_t> seen;
  std::vector<std::string> messages;
};

std::uint64_t from_of(const FakeRequest& request) {
  return std::stoul(request.target.substr(request.target.find("from=") + 5));
}

TEST(FollowJob, reads_the_log_to_its_end) {
  FakeDaemon fake([](const FakeRequest& request) {
    if (request.target.find("/events") == std::string::npos) return FakeAnswer{200, job_text(JobState::succeeded)};
    return FakeAnswer{200, "", {}, {events(from_of(request), 4)}};
  });
  Daemon daemon(fake.socket());
  RecordingView view;
  auto job = follow_job(daemon, "j1", 1, view);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, JobState::succeeded);
  EXPECT_EQ(view.seen, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_TRUE(view.messages.empty());
}

TEST(FollowJob, goes_on_at_the_event_where_the_connection_broke) {
  std::atomic<int> streams{0};
  FakeDaemon fake([&](const FakeRequest& request) {
    if (request.target.find("/events") == std::string::npos) {
      return FakeAnswer{200, job_text(streams < 3 ? JobState::running : JobState::failed)};
    }
    switch (streams++) {
      case 0:
        return FakeAnswer{.chunks = {events(0, 2)}, .cut = 195};  // breaks within the second event
      case 1:
        return FakeAnswer{503, R"({"kind":"unavailable","message":"stopping"})"};
      default:
        return FakeAnswer{200, "", {}, {events(from_of(request), 5)}};
    }
  });
  Daemon daemon(fake.socket());
  RecordingView view;
  auto job = follow_job(daemon, "j1", 0, view);
  ASSERT_TRUE(job) << proto::render(job.error());
  EXPECT_EQ(job->state, JobState::failed);
  EXPECT_EQ(view.seen.front(), 0U);
  for (std::size_t i = 0; i < view.seen.size(); ++i) EXPECT_EQ(view.seen[i], i) << "none is lost, none comes twice";
  EXPECT_EQ(view.seen.size(), 5U);
  EXPECT_EQ(view.messages, std::vector<std::string>{"the connection to the daemon is lost; trying again"});
}

TEST(FollowJob, an_end_of_the_stream_is_no_end_of_the_job) {
  std::atomic<int> streams{0};
  FakeDaemon fake([&](const FakeRequest& request) {
    if (request.target.find("/events") == std::string::npos) {
      return FakeAnswer{200, job_text(streams < 2 ? JobState::queued : JobState::succeeded)};
    }
    ++streams;
    return FakeAnswer{200, "", {}, {events(from_of(request), static_cast<std::uint64_t>(streams))}};
  });
  Daemon daemon(fake.socket());
  RecordingView view;
  auto job = follow_job(daemon, "j1", 0, view);
  ASSERT_TRUE(job);
  EXPECT_EQ(view.seen, (std::vector<std::uint64_t>{0, 1}));
}

TEST(FollowJob, a_job_that_is_not_there_is_told_at_once) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{404, R"({"kind":"not_found","message":"no job"})"}; });
  Daemon daemon(fake.socket());
  RecordingView view;
  auto job = follow_job(daemon, "x", 0, view);
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().kind, ErrorKind::not_found);
}

TEST(FollowJob, ends_when_nobody_reads_any_more) {
  FakeDaemon fake([](const FakeRequest& request) { return FakeAnswer{200, "", {}, {events(from_of(request), 9)}}; });
  Daemon daemon(fake.socket());
  RecordingView view;
  auto job = follow_job(daemon, "j1", 0, view, [&] { return view.seen.size() < 3; });
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().kind, ErrorKind::canceled);
  EXPECT_EQ(view.seen.size(), 3U);
}

TEST(CancelOnInterrupt, the_first_asks_the_daemon_to_cancel) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{200, job_text(JobState::running)}; });
  RecordingView view;
  {
    CancelOnInterrupt cancel(Daemon(fake.socket()), "j1", view);
    raise(SIGINT);
    for (int i = 0; i < 500 && fake.requests().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(fake.count("POST", "/v1/jobs/j1/cancel"), 1U);
  EXPECT_EQ(view.messages, std::vector<std::string>{"canceling job j1 (Ctrl-C again leaves it)"});
}

TEST(CancelOnInterrupt, the_second_leaves_and_says_how_to_come_back) {
  // Nobody has to hear of it, and a process with threads is none to fork.
  const std::string socket = "/nowhere/ingot.sock";
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    RecordingView view;
    CancelOnInterrupt cancel(Daemon(socket), "j1", view);
    raise(SIGINT);
    raise(SIGINT);
    pause();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char bytes[512];
  for (ssize_t got = 0; (got = read(ends[0], bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(got));
  close(ends[0]);
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(WEXITSTATUS(result), 130);
  EXPECT_EQ(text, "ingot: left job j1; `ingot logs -f j1` comes back, `ingot wait j1` waits\n");
}

TEST(CancelOnInterrupt, gives_the_signal_back) {
  FakeDaemon fake([](const FakeRequest&) { return FakeAnswer{}; });
  RecordingView view;
  { CancelOnInterrupt cancel(Daemon(fake.socket()), "j1", view); }
  struct sigaction action {};
  sigaction(SIGINT, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace ingot::client
