#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/test_daemon.h"

// The daemon is ended in every way, and what was promised is still there.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DaemonEnds : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace(std::vector<std::string>{"--jobs-parallel", "1"});
    daemon->project_file("Earthfile", R"(VERSION 0.8
slow:
    FROM tiny
    RUN echo begun; sleep 2; echo done > /x
    SAVE ARTIFACT /x
quick:
    FROM tiny
    RUN true
)");
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::string submit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "submit");
    auto submitted = daemon->ingot(arguments);
    EXPECT_EQ(submitted.code, 0) << submitted.err;
    return submitted.out.substr(0, submitted.out.size() - 1);
  }
  json show(const std::string& id) { return json::parse(daemon->ingot({"show", "--json", id}).out); }
  void wait_for_output(const std::string& id) {
    for (int i = 0; i < 500; ++i) {
      if (daemon->ingot({"logs", id}).out.find("| begun") != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL() << "the job never began";
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(DaemonEnds, a_running_job_is_run_again_after_sigkill_and_its_log_says_so) {
  const std::string id = submit({"+slow"});
  wait_for_output(id);
  daemon->kill();
  daemon->start();
  EXPECT_EQ(daemon->ingot({"wait", id}).code, 0);
  EXPECT_EQ(show(id)["attempts"], 2);
  EXPECT_EQ(show(id)["artifacts"].size(), 1U);
  EXPECT_THAT(daemon->ingot({"logs", id}).out, HasSubstr("the daemon ended while this job ran; it is run again"));
}

TEST_F(DaemonEnds, sigterm_puts_a_running_job_back_into_the_queue) {
  const std::string id = submit({"+slow"});
  wait_for_output(id);
  daemon->stop();
  EXPECT_EQ(daemon->leftovers(), "");
  daemon->start();
  EXPECT_EQ(daemon->ingot({"wait", id}).code, 0);
  EXPECT_THAT(daemon->ingot({"logs", id}).out, HasSubstr("the daemon stops; the job goes back to the queue"));
}

TEST_F(DaemonEnds, priority_then_order_of_submission_survive_a_restart) {
  const std::string first = submit({"+slow"});
  wait_for_output(first);
  const std::string low = submit({"--priority", "-1", "+quick"});
  const std::string normal = submit({"+quick"});
  const std::string later = submit({"+quick"});
  const std::string high = submit({"--priority", "5", "+quick"});
  daemon->kill();
  daemon->start();
  for (const auto& id : {first, low, normal, later, high}) EXPECT_EQ(daemon->ingot({"wait", id}).code, 0);
  // The one that ran has its old place, behind the one of higher priority.
  const std::vector<std::string> order = {high, first, normal, later, low};
  for (std::size_t i = 1; i < order.size(); ++i) {
    EXPECT_LE(show(order[i - 1])["finished_ms"].get<std::int64_t>(), show(order[i])["started_ms"].get<std::int64_t>())
        << i;
  }
}

TEST_F(DaemonEnds, a_follower_comes_back_by_itself) {
  const std::string id = submit({"+slow"});
  wait_for_output(id);
  RunResult followed;
  std::thread follower([&] { followed = daemon->ingot({"logs", "-f", id}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  daemon->kill();
  daemon->start();
  follower.join();
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_THAT(followed.out, HasSubstr("the connection to the daemon is lost; trying again"));
}

TEST_F(DaemonEnds, an_idempotency_key_never_makes_a_second_job) {
  const std::string id = submit({"--idempotency-key", "nightly", "+quick"});
  EXPECT_EQ(submit({"--idempotency-key", "nightly", "+quick"}), id);
  daemon->kill();
  daemon->start();
  EXPECT_EQ(submit({"--idempotency-key", "nightly", "+quick"}), id);
  auto other = daemon->ingot({"submit", "--idempotency-key", "nightly", "+slow"});
  EXPECT_EQ(other.code, 4);
  EXPECT_THAT(other.err, HasSubstr("was used for job " + id));
}

TEST_F(DaemonEnds, a_second_daemon_is_refused_and_a_stale_socket_replaced) {
  auto second = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--socket", "/tmp/none"});
  EXPECT_EQ(second.code, 4);
  EXPECT_THAT(second.err, HasSubstr("another ingotd uses the state directory"));
  TempDirectory other;
  second = run_program({binary("ingotd"), "--state-dir", other / "state", "--socket", daemon->socket()});
  EXPECT_EQ(second.code, 4);
  EXPECT_THAT(second.err, HasSubstr("another daemon serves"));
  daemon->kill();
  daemon->start();  // throws when the stale socket is in its way
}

TEST_F(DaemonEnds, retry_makes_a_new_job_that_points_to_the_old) {
  const std::string id = submit({"+quick"});
  EXPECT_EQ(daemon->ingot({"wait", id}).code, 0);
  auto retried = daemon->ingot({"retry", id});
  ASSERT_EQ(retried.code, 0);
  const std::string again = retried.out.substr(0, retried.out.size() - 1);
  EXPECT_NE(again, id);
  EXPECT_EQ(show(again)["retry_of"], id);
  EXPECT_EQ(daemon->ingot({"wait", again}).code, 0);
}

TEST_F(DaemonEnds, sighup_takes_over_what_it_can_and_names_what_it_cannot) {
  TempDirectory directory;
  const auto file = directory.file("c.yaml", "log:\n  level: info\n");
  TestDaemon reloaded({"--config", file});
  directory.file("c.yaml", "log:\n  level: debug\njobs:\n  max_queued: 5\n");
  reloaded.send_signal(SIGHUP);
  for (int i = 0; i < 100 && reloaded.log().find("max_queued") == std::string::npos; ++i) usleep(20'000);
  EXPECT_THAT(reloaded.log(), HasSubstr("reload: log.level is now debug"));
  EXPECT_THAT(reloaded.log(), HasSubstr("reload: jobs.max_queued stays 100000 until a restart"));
  directory.file("c.yaml", "lgo: 1\n");
  reloaded.send_signal(SIGHUP);
  for (int i = 0; i < 100 && reloaded.log().find("refused") == std::string::npos; ++i) usleep(20'000);
  EXPECT_THAT(reloaded.log(), HasSubstr("reload refused, nothing changed"));
}

}  // namespace
}  // namespace ingot::test
