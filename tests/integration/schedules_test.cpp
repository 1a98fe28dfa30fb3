#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/support/http_server.h"
#include "tests/support/running_client.h"
#include "tests/support/test_daemon.h"

// Sweeps that the daemon runs by itself, and whom it tells of their end.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Schedules : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    project.file("Earthfile", "VERSION 0.8\ncell:\n    FROM tiny\n    ARG V\n    RUN echo $V && test $V != red\n");
    write_sweep("[1, 2]");
    const std::string hook = "http://127.0.0.1:" + std::to_string(receiver.port());
    daemon.emplace(std::vector<std::string>{"--schedules",
                                            "[{name: nightly, file: '" + (project.path() / "sweep.yaml").string() +
                                                "', cron: '30 2 * * *', time_zone: Europe/Berlin}]",
                                            "--webhooks",
                                            "[{match: 'red*', url: '" + hook + "/red'}, {url: '" + hook +
                                                "/all?token=hidden', secret_file: '" +
                                                project.file("key", "word\n").string() + "'}]",
                                            "--socket-mode", "0666"});
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }
  void write_sweep(const std::string& values, const std::string& name = "nightly") const {
    project.file("sweep.yaml", "name: " + name + "\ntargets: [+cell]\naxes: {V: " + values + "}\n");
  }
  RunResult schedule(std::vector<std::string> words) {
    words.insert(words.begin(), "schedule");
    return daemon->ingot(words);
  }
  json shown() { return json::parse(schedule({"ls", "--json"}).out)["schedules"][0]; }
  json told(const std::string& path) {
    const std::lock_guard lock(mutex);
    json list = json::array();
    for (const auto& asked : received) {
      if (asked.path == path) list.push_back(json::parse(asked.body));
    }
    return list;
  }

  std::mutex mutex;  // guards the next two
  std::vector<HttpAsked> received;
  std::string status = "200 OK";
  HttpServer receiver{[this](const HttpAsked& asked) -> HttpReply {
    const std::lock_guard lock(mutex);
    received.push_back(asked);
    return {status, "", ""};
  }};
  TempDirectory project;
  std::optional<TestDaemon> daemon;
};

TEST_F(Schedules, run_when_somebody_says_so_and_tell_of_the_end) {
  EXPECT_THAT(schedule({"ls"}).out,
              AllOf(HasSubstr("nightly  next "), HasSubstr("30 2 * * * Europe/Berlin  /"), HasSubstr("last -\n")));
  const auto ran = schedule({"run", "nightly"});
  ASSERT_EQ(ran.code, 0) << ran.err << daemon->log();
  const std::string sweep = ran.out.substr(0, ran.out.size() - 1);
  EXPECT_EQ(daemon->ingot({"sweep", "wait", sweep}).code, 0);
  EXPECT_THAT(schedule({"ls"}).out, HasSubstr(sweep + " succeeded\n"));
  ASSERT_TRUE(holds_soon([&] { return !told("/all").empty(); })) << daemon->log();
  EXPECT_EQ(told("/all")[0]["sweep"]["id"], sweep);
  EXPECT_EQ(told("/all")[0]["sweep"]["counts"]["succeeded"], 2);
  EXPECT_TRUE(told("/red").empty());
  // The same signature by another program.
  HttpAsked asked;
  {
    const std::lock_guard lock(mutex);
    asked = received.front();
  }
  const auto header = [&](const std::string& name) {
    const auto at = asked.head.find("\r\n" + name + ": ") + name.size() + 4;
    return asked.head.substr(at, asked.head.find("\r\n", at) - at);
  };
  const auto checked = run_program({"openssl", "dgst", "-sha256", "-hmac", "word",
                                    project.file("message", header("Ingot-Timestamp") + "." + asked.body)});
  EXPECT_THAT(checked.out, HasSubstr(header("Ingot-Signature").substr(std::string("sha256=").size())));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("hidden"))) << "a URL may have a secret";
}

TEST_F(Schedules, that_are_unknown_or_cannot_run_say_why) {
  const auto unknown = schedule({"run", "nighly"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"nightly\"?"));
  project.file("sweep.yaml", "targets: [+sell]\naxes: {V: [1]}\n");
  const auto broken = schedule({"run", "nightly"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err,
              AllOf(HasSubstr("sweep.yaml:1:11: there is no target +sell"), HasSubstr("did you mean \"+cell\"")));
  EXPECT_THAT(schedule({"ls"}).out, HasSubstr("there is no target +sell"));
  EXPECT_THAT(daemon->curl({"http://ingot/metrics"}).out, HasSubstr("\ningot_schedules_failing 1\n"));
  ASSERT_TRUE(holds_soon([&] { return !told("/all").empty(); })) << daemon->log();
  EXPECT_EQ(told("/all")[0]["event"], "schedule.failed");
  fs::remove(project.path() / "sweep.yaml");
  EXPECT_EQ(schedule({"run", "nightly"}).code, 2);
  EXPECT_THAT(shown()["problem"], HasSubstr("No such file"));
}

TEST_F(Schedules, what_passed_while_no_daemon_ran_is_made_up_for_once) {
  daemon->stop();
  const std::string week = "604800000";
  ASSERT_EQ(
      run_program({"sqlite3", daemon->state() / "ingot.db", "UPDATE schedules SET handled_ms = handled_ms - " + week})
          .code,
      0);
  daemon->start();
  ASSERT_TRUE(holds_soon([&] { return shown().contains("sweep"); })) << daemon->log();
  const std::string sweep = shown()["sweep"];
  daemon->kill();
  daemon->start();
  EXPECT_EQ(daemon->ingot({"sweep", "wait", sweep}).code, 0);
  EXPECT_EQ(json::parse(daemon->ingot({"sweep", "ls", "--json"}).out)["sweeps"].size(), 1U);
}

TEST_F(Schedules, pauses_outlive_the_daemon) {
  EXPECT_EQ(schedule({"pause", "nightly"}).out, "schedule nightly is paused\n");
  daemon->stop();
  daemon->start();
  EXPECT_THAT(schedule({"ls"}).out, HasSubstr("next paused"));
  EXPECT_THAT(schedule({"resume", "nightly"}).out, HasSubstr("schedule nightly runs next at "));
}

// So that whoever may write a project does not have root read for him.
TEST_F(Schedules, are_submitted_by_whom_their_file_belongs_to) {
  constexpr uid_t kNobody = 65534;
  for (const auto& path : {project.path(), daemon->socket().parent_path()}) {
    fs::permissions(path, fs::perms(0755));
  }
  ASSERT_EQ(chown((project.path() / "sweep.yaml").c_str(), kNobody, kNobody), 0);
  const auto ran = schedule({"run", "nightly"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string sweep = ran.out.substr(0, ran.out.size() - 1);
  EXPECT_EQ(json::parse(daemon->ingot({"sweep", "show", "--json", sweep}).out)["submitter"]["uid"], kNobody);
  EXPECT_EQ(daemon->ingot({"sweep", "wait", sweep}).code, 0);
  // Nor does a link of theirs have anything read that is somebody else's.
  fs::rename(project.path() / "sweep.yaml", project.path() / "own.yaml");
  fs::create_symlink("/etc/hostname", project.path() / "sweep.yaml");
  EXPECT_THAT(schedule({"run", "nightly"}).err, HasSubstr("is no regular file"));
  fs::remove(project.path() / "sweep.yaml");
  fs::rename(project.path() / "own.yaml", project.path() / "sweep.yaml");
  fs::permissions(project.path(), fs::perms(0777));
  EXPECT_THAT(schedule({"run", "nightly"}).err, HasSubstr("can be written by others"));
  fs::permissions(project.path(), fs::perms(0755));
  fs::permissions(project.path() / "Earthfile", fs::perms(0600));
  EXPECT_THAT(schedule({"run", "nightly"}).err, HasSubstr("Permission denied"));
}

TEST_F(Schedules, a_hook_that_nobody_answers_holds_up_nothing_and_is_told_by_the_next_daemon) {
  {
    const std::lock_guard lock(mutex);
    status = "503 Service Unavailable";
  }
  write_sweep("[red]", "redder");
  const std::string sweep = schedule({"run", "nightly"}).out.substr(0, 10);
  EXPECT_EQ(daemon->ingot({"sweep", "wait", sweep}).code, 1);
  ASSERT_TRUE(holds_soon([&] { return !told("/red").empty() && !told("/all").empty(); })) << daemon->log();
  EXPECT_EQ(told("/red")[0]["sweep"]["cells"][0]["state"], "failed");
  EXPECT_THAT(daemon->curl({"http://ingot/metrics"}).out, HasSubstr("\ningot_webhook_deliveries_waiting 2\n"));
  daemon->kill();
  {
    const std::lock_guard lock(mutex);
    status = "204 No Content";
    received.clear();
  }
  daemon->start();
  ASSERT_TRUE(holds_soon([&] { return !told("/red").empty() && !told("/all").empty(); })) << daemon->log();
  ASSERT_TRUE(holds_soon([&] {
    return daemon->curl({"http://ingot/metrics"}).out.find("\ningot_webhook_deliveries_waiting 0\n") !=
           std::string::npos;
  }));
}

}  // namespace
}  // namespace ingot::test
