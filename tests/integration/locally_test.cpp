#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "tests/support/running_client.h"
#include "tests/support/test_daemon.h"

// LOCALLY with a real daemon and real clients: who may, and what happens when one of both goes. What the language means
// by it is in tests/conformance/cases/locally.cases.
namespace ingot {
namespace {

using test::holds_soon;
using test::TestDaemon;
using Client = test::RunningClient;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

bool lives(pid_t pid) {
  return kill(pid, 0) == 0;
}

class Locally : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace(std::vector<std::string>{"--allow-locally", "true"});
  }
  // The recipe's command writes the id of a process that lives on in it to a file of this name.
  pid_t pid_in(const std::string& name) {
    const auto path = daemon->project() / name;
    EXPECT_TRUE(holds_soon([&] { return test::slurp(path).find('\n') != std::string::npos; })) << name;
    return std::stoi("0" + test::slurp(path));
  }
  std::string last_job() {
    const std::string jobs = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
    return jobs.substr(0, jobs.find('\n'));
  }
  nlohmann::json show(const std::string& job) {
    return nlohmann::json::parse(daemon->ingot({"show", "--json", job}).out, nullptr, false);
  }
  static constexpr const char* kSleeper =
      "VERSION 0.8\nt:\n    LOCALLY\n    RUN echo started; sleep 1000 & echo $! > pid; wait\n";
  std::optional<TestDaemon> daemon;
};

TEST_F(Locally, the_hosts_configuration_forbids_it_by_default) {
  TestDaemon other;
  other.project_file("Earthfile", "VERSION 0.8\nt:\n    LOCALLY\n    RUN touch made\n");
  const auto built = other.ingot({"build", "--allow-locally", "+t"});
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out + built.err, HasSubstr("Earthfile:3:5: LOCALLY is not allowed by this host's configuration"));
  EXPECT_THAT(built.out + built.err, HasSubstr("allow_locally: true"));
  EXPECT_FALSE(std::filesystem::exists(other.project() / "made"));
}

TEST_F(Locally, output_is_logged_and_a_plan_runs_nothing) {
  daemon->project_file(
      "Earthfile",
      "VERSION 0.8\nt:\n    LOCALLY\n    RUN echo made >> made; echo out; echo err >&2\n    IF test -f "
      "made\n        RUN echo yes\n    END\n");
  const auto plan = daemon->ingot({"plan", "+t"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out + plan.err, HasSubstr("Earthfile:5"));
  EXPECT_FALSE(std::filesystem::exists(daemon->project() / "made"));
  const auto built = daemon->ingot({"build", "--allow-locally", "+t"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const auto log = daemon->ingot({"logs", last_job()});
  EXPECT_THAT(log.out, HasSubstr("| out\n"));
  EXPECT_THAT(log.out, HasSubstr("| err\n"));
  EXPECT_THAT(log.out, HasSubstr("| yes\n"));
  EXPECT_EQ(test::slurp(daemon->project() / "made"), "made\n") << "once";
  const auto retried = daemon->ingot({"retry", "-f", last_job()});
  EXPECT_NE(retried.code, 0) << "nobody stays to do it";
  EXPECT_THAT(retried.out + retried.err, HasSubstr("`submit` or `retry` has nobody"));
  EXPECT_EQ(test::slurp(daemon->project() / "made"), "made\n");
}

TEST_F(Locally, ctrl_c_ends_the_command_and_all_that_it_started) {
  daemon->project_file("Earthfile", kSleeper);
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  const pid_t sleeper = pid_in("pid");
  client.send(SIGINT);
  EXPECT_NE(client.wait(), 0);
  EXPECT_TRUE(holds_soon([&] { return !lives(sleeper); }));
  EXPECT_EQ(show(last_job())["state"], "canceled");
}

TEST_F(Locally, a_cancel_by_another_client_does_too) {
  daemon->project_file("Earthfile", kSleeper);
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  const pid_t sleeper = pid_in("pid");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(daemon->ingot({"cancel", last_job()}).code, 0);
  EXPECT_NE(client.wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_TRUE(holds_soon([&] { return !lives(sleeper); }));
}

// The guard of the services outlives whoever ends the command, and ends them.
TEST_F(Locally, services_of_a_command_that_is_ended_are_ended) {
  daemon->project_file("services.yml", "services: {}\n");
  daemon->project_file("engine/docker",
                       "#!/bin/sh\n[ \"$*\" = 'compose version' ] || echo $COMPOSE_PROJECT_NAME $4 >>\"$0.log\"\n"
                       "[ \"$4\" != down ] || { sleep 1; echo ended >>\"$0.log\"; }\n");
  std::filesystem::permissions(daemon->project() / "engine/docker", std::filesystem::perms::all);
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nt:\n    LOCALLY\n    WITH DOCKER --compose services.yml\n"
                       "        RUN echo $$ > pid; sleep 1000\n    END\n");
  auto environment = daemon->environment();
  environment["PATH"] = (daemon->project() / "engine").string() + ":" + getenv("PATH");
  const auto built = test::run_program({"/bin/sh", "-c",
                                        "\"$0\" build --allow-locally +t & while [ ! -s pid ]; do sleep 0.1; done; "
                                        "\"$0\" cancel $(\"$0\" ps -q -n1); wait",
                                        test::binary("ingot")},
                                       daemon->project().string(), environment);
  EXPECT_THAT(built.out, HasSubstr("canceled"));
  const auto log = [&] { return test::slurp(daemon->project() / "engine/docker.log"); };
  EXPECT_TRUE(holds_soon([&] { return log().ends_with("ended\n"); })) << log();
  EXPECT_THAT(log(), testing::MatchesRegex("(ingot-[0-9]+-[0-9]+) up\n.* down\n(.* down\n)?ended\n"));
}

TEST_F(Locally, a_client_that_goes_fails_the_step_and_takes_its_command_along) {
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    LOCALLY\n    RUN echo $$ > pid; exec sleep 1000\n");
  for (const int number : {SIGKILL, SIGTERM, SIGHUP}) {
    std::filesystem::remove(daemon->project() / "pid");
    Client client(*daemon, {"build", "--allow-locally", "+t"});
    const pid_t sleeper = pid_in("pid");
    client.send(number);
    client.wait();
    EXPECT_TRUE(holds_soon([&] { return !lives(sleeper); })) << number;
    const std::string job = last_job();
    EXPECT_TRUE(holds_soon([&] { return show(job)["state"] == "failed"; })) << show(job);
    const auto error = show(job)["error"];
    EXPECT_THAT(error["message"],
                HasSubstr("the client that does what LOCALLY says, and lends its SSH agent, is gone"));
    EXPECT_EQ(error["position"]["line"], 4) << error;
  }
}

TEST_F(Locally, a_client_that_is_asked_to_end_ends_what_its_command_started) {
  daemon->project_file("Earthfile", kSleeper);
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  const pid_t sleeper = pid_in("pid");
  client.send(SIGTERM);
  EXPECT_EQ(client.wait(), 128 + SIGTERM);
  EXPECT_TRUE(holds_soon([&] { return !lives(sleeper); }));
}

TEST_F(Locally, what_a_client_was_told_to_ignore_it_ignores) {
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    LOCALLY\n    RUN touch begun; sleep 2; echo went on\n");
  const auto before = signal(SIGHUP, SIG_IGN);
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  signal(SIGHUP, before);
  EXPECT_TRUE(holds_soon([&] { return std::filesystem::exists(daemon->project() / "begun"); }));
  client.send(SIGHUP);
  EXPECT_EQ(client.wait(), 0);
  EXPECT_THAT(client.log(), HasSubstr("went on"));
}

TEST_F(Locally, a_daemon_that_dies_ends_the_command_and_the_next_one_begins_the_job_again) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nt:\n    LOCALLY\n    RUN if test -f pid; then echo begun again; else sleep 1000 & "
                       "echo $! > pid; wait; fi\n");
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  const pid_t sleeper = pid_in("pid");
  daemon->kill();
  EXPECT_TRUE(holds_soon([&] { return !lives(sleeper); })) << "the command goes on without a daemon";
  daemon->start();
  EXPECT_EQ(client.wait(), 0) << client.log();
  EXPECT_THAT(client.log(), HasSubstr("begun again"));
  EXPECT_EQ(show(last_job())["attempts"], 2);
}

TEST_F(Locally, a_job_whose_client_never_comes_fails_and_says_so) {
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    LOCALLY\n    RUN touch made\n");
  const auto context =
      nlohmann::json::parse(daemon->ingot({"build", "--json", "--allow-locally", "+t"}).out)["context"];
  std::filesystem::remove(daemon->project() / "made");
  const nlohmann::json spec = {{"context", context}, {"target", "+t"}, {"locally", true}};
  const auto job = nlohmann::json::parse(daemon->curl({"-d", spec.dump(), "http://x/v1/jobs"}).out)["id"];
  EXPECT_NE(daemon->ingot({"wait", job}).code, 0);
  EXPECT_THAT(show(job)["error"]["message"], HasSubstr("is gone"));
  EXPECT_FALSE(std::filesystem::exists(daemon->project() / "made"));
}

TEST_F(Locally, only_who_submitted_a_job_may_do_its_part) {
  daemon->project_file("Earthfile", kSleeper);
  Client client(*daemon, {"build", "--allow-locally", "+t"});
  pid_in("pid");
  const std::string path = "/v1/jobs/" + last_job() + "/local";
  std::filesystem::permissions(daemon->socket(), std::filesystem::perms(0777));
  std::filesystem::permissions(daemon->socket().parent_path(), std::filesystem::perms(0755));
  const auto as_other = test::run_program({"setpriv", "--reuid=65534", "--clear-groups", "curl", "-s", "--unix-socket",
                                           daemon->socket().string(), "-X", "POST", "-H", "Connection: Upgrade", "-H",
                                           "Upgrade: ingot-local/1", "http://x" + path});
  EXPECT_EQ(nlohmann::json::parse(as_other.out, nullptr, false)["kind"], "denied") << as_other.out << as_other.err;
  const auto plain = daemon->curl({"-X", "POST", "http://x" + path});
  EXPECT_EQ(nlohmann::json::parse(plain.out, nullptr, false)["kind"], "invalid") << plain.out;
  client.send(SIGINT);
  client.wait();
  const auto late = daemon->curl({"-X", "POST", "http://x" + path});
  EXPECT_EQ(nlohmann::json::parse(late.out, nullptr, false)["kind"], "conflict") << late.out;
}

TEST_F(Locally, many_commands_side_by_side_and_files_both_ways) {
  std::string recipe = "VERSION 0.8\nt:\n    FROM tiny\n";
  for (int i = 0; i < 12; ++i) {
    recipe += "    COPY (+one/out --N=" + std::to_string(i) + ") /" + std::to_string(i) + "\n";
  }
  recipe +=
      "    RUN cat /0 /11 | wc -c\n    SAVE ARTIFACT /11\nback:\n    LOCALLY\n    COPY +t/11 back\n    RUN cmp back "
      "out.11 && echo same\none:\n    LOCALLY\n    ARG N\n    RUN head -c 5000000 /dev/urandom > out.$N && echo made "
      "$N\n    SAVE ARTIFACT out.$N out\n";
  daemon->project_file("Earthfile", recipe);
  const auto built = daemon->ingot({"build", "--allow-locally", "+back"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| 10000000\n"));
  EXPECT_THAT(built.out, HasSubstr("| same\n"));
  daemon->stop();
  EXPECT_EQ(daemon->leftovers(), "");
}

// What was taken may be other than before, and what stands on it is found when it is not.
TEST_F(Locally, what_stands_on_equal_files_is_not_run_again) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nmade:\n    LOCALLY\n    RUN echo x >> runs; cat from > out\n    SAVE ARTIFACT "
                       "out\nt:\n    FROM tiny\n    COPY +made/out /out\n    RUN cat /out; echo in a container\n");
  daemon->project_file("from", "one\n");
  const auto first = daemon->ingot({"build", "--allow-locally", "+t"});
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  const auto second = daemon->ingot({"build", "--allow-locally", "+t"});
  EXPECT_THAT(second.out, Not(HasSubstr("| in a container")));
  EXPECT_EQ(test::slurp(daemon->project() / "runs"), "x\nx\n");
  daemon->project_file("from", "two\n");
  const auto third = daemon->ingot({"build", "--allow-locally", "+t"});
  EXPECT_THAT(third.out, HasSubstr("| two\n"));
}

// It takes neither a slot nor a job's place, or the build inside could wait for it for ever.
TEST_F(Locally, a_command_may_build_here_itself) {
  TestDaemon narrow({"--allow-locally", "true", "--steps-parallel", "1", "--jobs-parallel", "1"});
  narrow.project_file("Earthfile", "VERSION 0.8\nt:\n    LOCALLY\n    RUN " + test::binary("ingot").string() +
                                       " build --no-cache +inner\ninner:\n    FROM tiny\n    RUN echo inside\n");
  const auto built = narrow.ingot({"build", "--allow-locally", "+t"});
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("inside\n"));
}

TEST_F(Locally, a_time_limit_for_steps_counts_there_too) {
  TestDaemon hasty({"--allow-locally", "true", "--limits-step-timeout", "1s"});
  hasty.project_file("Earthfile", kSleeper);
  const auto built = hasty.ingot({"build", "--allow-locally", "+t"});
  EXPECT_NE(built.code, 0);
  EXPECT_THAT(built.out + built.err, HasSubstr("ran into the time limit of 1"));
  EXPECT_TRUE(holds_soon([&] { return !lives(std::stoi("0" + test::slurp(hasty.project() / "pid"))); }));
}

}  // namespace
}  // namespace ingot
