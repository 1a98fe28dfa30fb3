#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/test_daemon.h"

// Steps that misbehave, and what ends them.
namespace ingot::test {
namespace {

using testing::HasSubstr;

class Limits : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
  }
  void begin(std::vector<std::string> flags, const std::string& command) {
    daemon.emplace(std::move(flags));
    daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    FROM tiny\n    RUN " + command + "\n");
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  double seconds(const std::function<void()>& work) {
    const auto started = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  }
  void wait_until_running(const std::string& id, const std::string& text) {
    for (int i = 0; i < 500; ++i) {
      if (daemon->ingot({"logs", id}).out.find(text) != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL() << "the step never said " << text;
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(Limits, cancel_ends_a_tree_that_ignores_sigterm_within_a_second) {
  begin({}, "trap '' TERM; (trap '' TERM; sleep 1000 & sleep 1000) & echo ready; sleep 1000; sleep 1000");
  std::string id = daemon->ingot({"submit", "+t"}).out;
  id.pop_back();
  wait_until_running(id, "ready");
  RunResult waited;
  const double took = seconds([&] {
    ASSERT_EQ(daemon->ingot({"cancel", id}).code, 0);
    waited = daemon->ingot({"wait", id});
  });
  EXPECT_EQ(waited.code, 130);
  EXPECT_LT(took, 1.5) << "two client calls and the end of the job";
  EXPECT_EQ(daemon->ingot({"cancel", id}).code, 0) << "canceling twice is no error";
}

TEST_F(Limits, a_fork_bomb_stays_in_its_cage) {
  begin({"--limits-pids", "64", "--limits-step-timeout", "5s"}, "b() { b | b & b | b; }; b; sleep 3; exit 9");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_NE(built.code, 0);
  EXPECT_EQ(daemon->ingot({"version"}).code, 0);
}

TEST_F(Limits, memory_that_runs_out_is_said) {
  begin({"--limits-memory", "48M"},
        "head -c 300000000 /dev/zero | tail -c 290000000 | wc -c; sleep 1; x=$(yes); echo $x");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_EQ(built.code, 1) << built.out;
  EXPECT_THAT(built.out, HasSubstr("want of memory: it may use 48.0 MiB"));
}

TEST_F(Limits, a_step_that_takes_too_long_is_ended) {
  begin({"--limits-step-timeout", "1s"}, "echo begun; sleep 100");
  RunResult built;
  EXPECT_LT(seconds([&] { built = daemon->ingot({"build", "+t"}); }), 10);
  EXPECT_EQ(built.code, 124);
  EXPECT_THAT(built.out, HasSubstr("time limit of 1.0s for one step"));
}

TEST_F(Limits, a_job_that_takes_too_long_is_ended) {
  begin({}, "sleep 100");
  auto built = daemon->ingot({"build", "--timeout", "1s", "+t"});
  EXPECT_EQ(built.code, 124);
  EXPECT_THAT(built.out, HasSubstr("the job ran into its time limit of 1 s"));
}

TEST_F(Limits, ten_gigabytes_of_output_are_cut_with_a_mark_and_the_end_is_told) {
  begin({"--limits-log", "1M"}, "dd if=/dev/zero bs=1M count=10000 2> /dev/null; echo; echo the very end; exit 4");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_EQ(built.code, 1);
  EXPECT_THAT(built.out, HasSubstr("the log has reached its limit of 1.0 MiB"));
  EXPECT_THAT(built.out, HasSubstr("+t | the very end"));
  EXPECT_THAT(built.out, HasSubstr("exit code 4"));
}

TEST_F(Limits, binary_output_and_a_line_of_ten_megabytes_do_no_harm) {
  begin({}, "head -c 100000 /dev/urandom; echo; head -c 10000000 /dev/zero | tr '\\000' x; echo; echo after");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_EQ(built.code, 0) << built.err;
  auto log = daemon->ingot({"logs", nlohmann::json::parse(daemon->ingot({"ps", "-a", "--json"}).out)["jobs"][0]["id"]});
  EXPECT_EQ(log.code, 0);
}

TEST_F(Limits, egress_reaches_no_service_of_the_host) {
  begin({},
        "wget -T 2 -q -O - http://$(ip route | grep default | tr -s ' ' | head -n 1 | sed 's/.*via //;s/ .*//'):1/ ; "
        "ip route; nc -w 2 127.0.0.1 1 < /dev/null && exit 7; exit 0");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_EQ(built.code, 0) << built.out;
}

TEST_F(Limits, a_full_disk_while_uploading_is_said_and_survived) {
  TempDirectory small;
  ASSERT_EQ(mount("tmpfs", small.path().c_str(), "tmpfs", 0, "size=12m"), 0);
  {
    TestDaemon full({"--state-dir", small / "state"});
    full.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM tiny\n");
    full.project_file("big", std::string(30U << 20, 'x'));
    auto built = full.ingot({"build", "+t"});
    EXPECT_EQ(built.code, proto::info(ErrorKind::no_space).exit_code) << built.out << built.err;
    EXPECT_THAT(built.err, HasSubstr("while sending big"));
    EXPECT_EQ(full.curl({"http://ingot/v1/version"}).code, 0);
  }
  EXPECT_EQ(umount(small.path().c_str()), 0);
}

}  // namespace
}  // namespace ingot::test
