#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/crash/disk_use.h"
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
  // What it counts changes while it works: it is asked until both are the same.
  void expect_counters_of_the_disk() {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> differing;
    for (int i = 0; i < 100; ++i) {
      const json usage = json::parse(daemon->ingot({"cache", "du", "--json"}).out);
      const auto layers = layers_on_disk(daemon->state() / "snapshots", daemon->state() / "blobs");
      differing = {
          {"blobs", {usage["blob_bytes"], files_on_disk(daemon->state() / "blobs")}},
          {"contexts", {usage["context_bytes"], files_on_disk(daemon->state() / "contexts")}},
          {"logs", {usage["log_bytes"], files_on_disk(daemon->state() / "logs")}},
          {"layers", {usage["bytes"], layers.bytes}},
          {"number of layers", {usage["layers"], layers.count}},
      };
      std::erase_if(differing, [](const auto& one) { return one.second.first == one.second.second; });
      if (differing.empty()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    for (const auto& [what, numbers] : differing) {
      ADD_FAILURE() << what << ": counted " << numbers.first << ", on the disk " << numbers.second;
    }
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

// Killed in builds, uploads, collections and sweeps, at whatever moment it is.
TEST_F(DaemonEnds, its_counters_are_what_the_disk_has_whenever_it_was_killed) {
  daemon->stop();
  daemon.emplace(std::vector<std::string>{"--jobs-parallel", "3", "--cache-max-size", "20M", "--retention-contexts",
                                          "1s", "--retention-max-jobs", "5"});
  daemon->project_file("Earthfile", R"(VERSION 0.8
FROM tiny
work:
    ARG number
    RUN head -c 700000 /dev/urandom > /a
    COPY source large /source/
    RUN head -c 1200000 /dev/urandom > /b && echo $number
    SAVE ARTIFACT /b AS LOCAL b
    SAVE IMAGE work:$number
shared:
    ARG number
    COPY (+work/b --number=$number) /b
    RUN echo $number
    COPY --chmod=0700 (+work/b --number=$number) /again
)");
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 6; ++round) {
    daemon->project_file("source", "source " + std::to_string(random()));
    daemon->project_file("large", std::string(1 << 20, static_cast<char>('a' + round)));
    for (int job = 0; job < 4; ++job)
      submit({job % 2 == 0 ? "+work" : "+shared", "--number=" + std::to_string(random())});
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 900));
    daemon->kill();
    daemon->start();
    expect_counters_of_the_disk();
  }
  for (int i = 0; i < 600 && !json::parse(daemon->ingot({"ps", "--json"}).out)["jobs"].empty(); ++i) usleep(100'000);
  daemon->stop();
  const auto checked = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--fsck=full"});
  EXPECT_THAT(checked.out, testing::Not(HasSubstr("is lost")));
  EXPECT_THAT(checked.out, testing::Not(HasSubstr("was counted as")));
  EXPECT_NE(checked.code, 9) << checked.out;
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
