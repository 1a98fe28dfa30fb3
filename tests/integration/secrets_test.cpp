#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "proto/base64.h"
#include "tests/support/test_daemon.h"

// What a secret touches on its way from the command line to a step, and what is left of it: nothing.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kToken = "t0ken-of-the-test/8f3a";
constexpr const char* kKey = "-----BEGIN KEY-----\nQUJDREVGR0hJSktMTU5P\n-----END KEY-----\n";
constexpr const char* kLineOfKey = "QUJDREVGR0hJSktMTU5P";

constexpr const char* kProject = R"(VERSION 0.8
FROM tiny
t:
    RUN --secret TOKEN --mount=type=secret,id=key --mount=type=secret,id=more,required=false,target=/more \
        stat -c "%a %u" /run/secrets/key && test ! -e /more && cat /run/secrets/key && \
        echo "is $TOKEN." && printf "user:%s" "$TOKEN" | cat && echo && echo "cut: ${TOKEN%a}"
    RUN test ! -e /run && test -z "$TOKEN" && echo clean
    SAVE IMAGE made:1
slow:
    RUN --secret TOKEN --mount=type=secret,id=key,target=/k echo begun && sleep 3 && echo "$TOKEN" && cat /k && echo done
quick:
    RUN --no-cache --secret TOKEN echo "with ${TOKEN}"
each:
    RUN --secret TOKEN sleep 1 && printf "%s" "$TOKEN" | wc -c > /size
    SAVE ARTIFACT /size
all:
    COPY . /all
    RUN ls -a /all
)";

class Secrets : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace(std::vector<std::string>{"--jobs-parallel", "2"});
    daemon->project_file("Earthfile", kProject);
    daemon->project_file("key.pem", kKey);
    daemon->project_file(".secret", std::string("TOKEN=") + kToken + "\n");
  }
  void TearDown() override {
    if (!daemon) return;
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }

  RunResult ingot(std::vector<std::string> arguments) {
    auto ran = daemon->ingot(std::move(arguments));
    said += ran.out + ran.err;
    return ran;
  }
  std::string submit(const std::string& target) {
    auto submitted = ingot({"submit", "--secret-file", "key=key.pem", target});
    EXPECT_EQ(submitted.code, 0) << submitted.err;
    return submitted.out.substr(0, submitted.out.size() - 1);
  }
  void wait_for_output(const std::string& id) {
    for (int i = 0; i < 500; ++i) {
      if (ingot({"logs", id}).out.find("| begun") != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL() << "the job never began";
  }
  // Where a value, or its base64, stands: files of the state directory and of the client's cache, what the client and
  // the daemon said, and command lines of this host.
  std::string traces() {
    std::string found;
    for (const std::string& value :
         {std::string(kToken), std::string(kLineOfKey), proto::base64_encode(kToken).substr(0, 24),
          proto::base64_encode(kKey).substr(0, 60)}) {
      found +=
          run_program({"grep", "-rlaF", "--", value, daemon->state(), daemon->state().parent_path() / "cache"}).out;
      if ((said + daemon->log()).find(value) != std::string::npos) found += "said: " + value + "\n";
      std::error_code none;
      for (const auto& process : fs::directory_iterator("/proc", none)) {
        const std::string line = slurp(process.path() / "cmdline");
        if (line.find(value) != std::string::npos && !line.starts_with("grep")) found += line + "\n";
      }
    }
    return found;
  }
  std::optional<TestDaemon> daemon;
  std::string said;
};

TEST_F(Secrets, a_step_sees_them_and_nobody_else_does) {
  auto built = ingot({"build", "--secret-file", "key=key.pem", "+t"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("| 400 0\n"));
  EXPECT_THAT(built.out, HasSubstr("| is ***.\n"));
  EXPECT_THAT(built.out, HasSubstr("| user:***\n"));
  EXPECT_THAT(built.out, HasSubstr("| cut: t0ken-of-the-test/8f3\n")) << "what is no secret is no secret";
  EXPECT_THAT(built.out, HasSubstr("| clean\n"));
  const std::string job = json::parse(ingot({"ps", "--all", "--json"}).out)["jobs"][0]["id"];
  for (const auto& command : {"show", "why", "logs"}) {
    ingot({command, job});
    ingot({command, "--json", job});
  }
  EXPECT_THAT(ingot({"show", job}).out, HasSubstr("secrets      TOKEN key\n"));
  EXPECT_EQ(traces(), "");
  EXPECT_EQ(daemon->secrets_on_host(), "") << "they go with the job";
}

TEST_F(Secrets, one_without_a_value_or_a_variable_is_asked_for_at_a_terminal) {
  fs::remove(daemon->project() / ".secret");
  fs::remove(daemon->project() / "key.pem");
  int terminal = -1;
  const std::string program = binary("ingot");
  const std::string cache = daemon->state().parent_path() / "cache";
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child < 0) GTEST_SKIP() << "no terminal can be made here";
  if (child == 0) {
    if (chdir(daemon->project().c_str()) != 0) _exit(126);
    unsetenv("TOKEN");
    setenv("INGOT_SOCKET", daemon->socket().c_str(), 1);
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
    execl(program.c_str(), program.c_str(), "build", "--progress", "plain", "--secret", "TOKEN", "+quick", nullptr);
    _exit(127);
  }
  std::string seen;
  bool answered = false;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(terminal, buffer, sizeof buffer)) > 0;) {
    seen.append(buffer, static_cast<std::size_t>(got));
    if (answered || seen.find("TOKEN: ") == std::string::npos) continue;
    const std::string line = std::string(kToken) + "\n";
    answered = write(terminal, line.data(), line.size()) > 0;
  }
  close(terminal);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << seen;
  EXPECT_TRUE(answered);
  EXPECT_THAT(seen, HasSubstr("with ***"));
  said += seen;
  EXPECT_EQ(traces(), "");
  EXPECT_THAT(ingot({"build", "--secret", "TOKEN", "+quick"}).err,
              HasSubstr("--secret TOKEN: the environment has no TOKEN"))
      << "without a terminal nobody is asked";
}

TEST_F(Secrets, neither_the_daemon_nor_what_it_runs_leaves_a_core_dump) {
  const std::string limits = slurp("/proc/" + std::to_string(daemon->pid()) + "/limits");
  const std::string line = limits.substr(limits.find("Max core file size"));
  EXPECT_THAT(line.substr(0, line.find('\n')), testing::ContainsRegex("^Max core file size +1 ")) << line;
  daemon->project_file("Earthfile",
                       "VERSION 0.8\nt:\n    FROM tiny\n    RUN while read -r line; do case \"$line\" in \"Max "
                       "core\"*) echo $line;; esac; done < /proc/self/limits\n");
  // A step may raise it.
  EXPECT_THAT(ingot({"build", "+t"}).out, HasSubstr("| Max core file size 1 "));
}

TEST_F(Secrets, while_the_job_runs_they_are_in_memory_for_root_alone) {
  const std::string id = submit("+slow");
  wait_for_output(id);
  EXPECT_EQ(traces(), "");
  const std::string vault = daemon->secrets_on_host();
  ASSERT_THAT(vault, HasSubstr("/" + id + "\n"));
  struct stat status {};
  const fs::path file = vault.substr(0, vault.find('\n'));
  ASSERT_EQ(lstat(file.c_str(), &status), 0) << file;
  EXPECT_EQ(status.st_mode, S_IFREG | 0600U);
  ASSERT_EQ(lstat(file.parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFDIR | 0700U);
  EXPECT_EQ(ingot({"wait", id}).code, 0);
  EXPECT_EQ(daemon->secrets_on_host(), "");
}

TEST_F(Secrets, survive_a_daemon_that_is_killed_under_a_running_and_a_queued_job) {
  const std::string running = submit("+slow");
  wait_for_output(running);
  const std::string queued = submit("+quick");
  daemon->kill();
  daemon->start();
  EXPECT_EQ(ingot({"wait", running}).code, 0);
  EXPECT_EQ(ingot({"wait", queued}).code, 0);
  const std::string log = ingot({"logs", running}).out;
  EXPECT_THAT(log, HasSubstr("it is run again"));
  EXPECT_THAT(log, HasSubstr("| done"));
  EXPECT_THAT(ingot({"logs", queued}).out, HasSubstr("| with ***\n"));
  EXPECT_EQ(traces(), "");
  EXPECT_EQ(daemon->secrets_on_host(), "");
}

TEST_F(Secrets, that_are_lost_end_the_job_with_a_word_of_what_to_do) {
  const std::string id = submit("+slow");
  wait_for_output(id);
  daemon->kill();
  const std::string vault = daemon->secrets_on_host();
  fs::remove(vault.substr(0, vault.find('\n')));
  daemon->start();
  EXPECT_NE(ingot({"wait", id}).code, 0);
  const std::string shown = ingot({"show", id}).out;
  EXPECT_THAT(shown, HasSubstr("this step needs the secret \"TOKEN\", which is lost"));
  EXPECT_THAT(shown, HasSubstr("hint: submit the job again"));
  auto retried = ingot({"retry", "-f", id});
  EXPECT_NE(retried.code, 0);
  EXPECT_THAT(retried.out, HasSubstr("which is lost"));
  // Who needs none of them does not miss them.
  auto plain = ingot({"build", "--json", "+all"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_EQ(ingot({"retry", "-f", json::parse(plain.out)["id"]}).code, 0);
}

TEST_F(Secrets, are_gone_when_the_job_is_canceled) {
  const std::string running = submit("+slow");
  wait_for_output(running);
  const std::string other = submit("+slow");
  const std::string queued = submit("+slow");
  for (const auto& id : {queued, other, running}) {
    EXPECT_EQ(ingot({"cancel", id}).code, 0);
    ingot({"wait", id});
  }
  EXPECT_EQ(daemon->secrets_on_host(), "");
  EXPECT_EQ(traces(), "");
}

TEST_F(Secrets, one_that_is_missing_is_named_before_anything_runs) {
  auto built = ingot({"build", "+t"});
  EXPECT_EQ(built.code, 3);
  EXPECT_THAT(built.out, HasSubstr("Earthfile:4:5: this step needs the secret \"key\", which the job does not have"));
  EXPECT_THAT(built.out, HasSubstr("--secret-file key=FILE"));
  EXPECT_THAT(built.out, HasSubstr("key=VALUE in .secret"));
  EXPECT_THAT(built.out, Not(HasSubstr("-->")));
  auto none = ingot({"build", "--secret", "INGOT_TEST_NO_SUCH_VARIABLE", "+t"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("the environment has no INGOT_TEST_NO_SUCH_VARIABLE"));
}

TEST_F(Secrets, are_no_part_of_what_a_step_is_found_by) {
  fs::remove(daemon->project() / ".secret");
  fs::remove(daemon->project() / "key.pem");
  EXPECT_EQ(ingot({"build", "--secret", "TOKEN=first value", "+each"}).code, 0);
  auto again = ingot({"build", "--secret", "TOKEN=another", "+each"});
  EXPECT_THAT(again.out, HasSubstr("*cached* --> RUN --secret TOKEN"));
  EXPECT_THAT(ingot({"build", "+each"}).out, HasSubstr("*cached* --> RUN")) << "a step that does not run needs none";
}

TEST_F(Secrets, a_step_under_way_is_shared_only_by_who_has_the_same) {
  fs::remove(daemon->project() / ".secret");
  fs::remove(daemon->project() / "key.pem");
  const auto size_of = [&](const std::string& value) {
    auto built = daemon->ingot({"build", "--json", "--no-output", "--secret", "TOKEN=" + value, "+each"});
    EXPECT_EQ(built.code, 0) << built.err;
    const std::string job = json::parse(built.out)["id"];
    return daemon->ingot({"get", job, "-o", "-"}).out;
  };
  std::string longer;
  std::thread other([&] { longer = size_of("12345678"); });
  const std::string shorter = size_of("1234");
  other.join();
  EXPECT_EQ(shorter, "4\n");
  EXPECT_EQ(longer, "8\n");
}

TEST_F(Secrets, their_files_are_never_sent_with_the_project) {
  daemon->project_file("sub/.secret", "OTHER=value\n");
  daemon->project_file(".earthlyignore", "!.secret\n!key.pem\n");
  fs::create_symlink("key.pem", daemon->project() / "link");
  auto built = ingot({"build", "--secret-file", "key=key.pem", "+all"});
  ASSERT_EQ(built.code, 0) << built.err;
  EXPECT_THAT(built.out, HasSubstr("| Earthfile\n"));
  EXPECT_THAT(built.out, Not(HasSubstr(".secret\n")));
  EXPECT_THAT(built.out, Not(HasSubstr("| key.pem\n")));
  EXPECT_EQ(ingot({"plan", "--secret-file", "key=key.pem", "+all"}).code, 0);
  EXPECT_EQ(traces(), "");
}

TEST_F(Secrets, on_the_command_line_are_not_seen_there) {
  fs::remove(daemon->project() / ".secret");
  std::thread build([&] {
    ingot({"build", "--secret", std::string("TOKEN=") + kToken, "--secret-file", "key=key.pem", "+slow"});
  });
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::string seen;
  for (const auto& process : fs::directory_iterator("/proc")) {
    const std::string line = slurp(process.path() / "cmdline");
    if (line.find("+slow") != std::string::npos && line.find("key=key.pem") != std::string::npos) seen += line;
  }
  build.join();
  EXPECT_THAT(seen, HasSubstr("TOKEN=**"));
  EXPECT_THAT(seen, Not(HasSubstr(kToken)));
}

TEST_F(Secrets, files_of_other_targets_are_mounted_and_not_copied) {
  daemon->project_file("Earthfile", R"(VERSION 0.8
FROM tiny
tools:
    COPY tool /opt/tool/run
    RUN ln -s /opt/tool /link && ln -s / /opt/tool/up
    SAVE ARTIFACT /opt/tool/run saved
t:
    RUN --mount=type=bind,from=+tools,source=/link,target=/m --mount=type=bind,from=+tools/saved,target=/one \
        cat /m/run /one && ls -a /m/up/ && ! touch /m/new
    RUN test ! -e /m && test ! -e /one && echo clean
)");
  daemon->project_file("tool", "one\n");
  auto built = ingot({"build", "+t"});
  ASSERT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("| one\n"));
  EXPECT_THAT(built.out, Not(HasSubstr("| opt\n"))) << "a link leads nowhere but in the container";
  EXPECT_THAT(built.out, HasSubstr("| clean\n"));
  EXPECT_THAT(ingot({"build", "+t"}).out, HasSubstr("*cached* --> RUN --mount=type=bind"));
  daemon->project_file("tool", "two\n");
  EXPECT_THAT(ingot({"build", "+t"}).out, HasSubstr("| two\n")) << "what is mounted is part of the step's key";
}

}  // namespace
}  // namespace ingot::test
