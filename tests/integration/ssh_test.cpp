#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/copied_program.h"
#include "tests/support/git_repository.h"
#include "tests/support/running_client.h"
#include "tests/support/ssh.h"
#include "tests/support/test_daemon.h"

// The SSH agent of who builds: in steps, and for the daemon's git. All programs are the real ones.
namespace ingot {
namespace {

using test::holds_soon;
using test::SshAgent;
using test::SshServer;
using test::TestDaemon;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Ssh : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    agent.emplace();
    start({});
  }
  void start(const std::vector<std::string>& flags) {
    daemon.emplace(flags);
    daemon->project_file("key.pub", agent->public_key());
    for (const char* program : {"ssh-add"}) test::copy_program(program, daemon->project() / "tools");
  }
  std::map<std::string, std::string> with_agent() const {
    return {{"SSH_AUTH_SOCK", agent->socket().string()}, {"HOME", home.path().string()}};
  }
  // A target +t on an image that has ssh-add, and these lines in it.
  void recipe(const std::string& lines) {
    daemon->project_file(
        "Earthfile",
        "VERSION 0.8\ntools:\n    FROM tiny\n    COPY tools /\n    COPY key.pub /\nt:\n    FROM +tools\n" + lines);
  }
  test::RunResult build(std::vector<std::string> more = {"+t"}) {
    more.insert(more.begin(), "build");
    return daemon->ingot(more, with_agent());
  }
  nlohmann::json show_last() {
    const std::string job = daemon->ingot({"ps", "--all", "-q", "-n1"}).out;
    return nlohmann::json::parse(daemon->ingot({"show", "--json", job.substr(0, job.find('\n'))}).out, nullptr, false);
  }
  test::TempDirectory home;
  std::optional<SshAgent> agent;
  std::optional<TestDaemon> daemon;
};

TEST_F(Ssh, a_step_lists_keys_and_has_them_sign_as_any_user) {
  recipe(
      "    RUN --ssh ssh-add -l && ssh-add -T /key.pub && echo signed\n"
      "    USER app\n    RUN --ssh ssh-add -l && echo as $(whoami)\n    RUN ssh-add -l || echo nobody is here\n");
  const auto built = build();
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("a-key-of-the-test (ED25519)"));
  EXPECT_THAT(built.out, HasSubstr("| signed\n"));
  EXPECT_THAT(built.out, HasSubstr("| as app\n"));
  EXPECT_THAT(built.out, HasSubstr("| nobody is here\n"));
  const auto again = daemon->ingot({"build", "+t"});
  EXPECT_EQ(again.code, 0) << "what is there needs no agent: " << again.out << again.err;
}

TEST_F(Ssh, as_earthly_the_client_takes_an_agent_by_flag) {
  recipe("    RUN --ssh ssh-add -l\n");
  auto environment = daemon->environment();
  environment.merge(std::map<std::string, std::string>{{"NO_COLOR", "1"}});
  const auto built = test::run_program({"bash", "-c", "exec -a earthly \"$0\" --ssh-auth-sock \"$1\" +t",
                                        test::binary("ingot").string(), agent->socket().string()},
                                       daemon->project().string(), environment);
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.err, AllOf(HasSubstr("a-key-of-the-test"), Not(HasSubstr("Warning"))));
}

TEST_F(Ssh, a_step_cannot_change_the_agent) {
  recipe("    RUN --ssh ssh-add -D; ssh-add -d /key.pub; ssh-add -l\n");
  const auto built = build();
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("a-key-of-the-test (ED25519)"));
  EXPECT_THAT(agent->keys(), HasSubstr("a-key-of-the-test"));
}

TEST_F(Ssh, many_speak_at_once_in_several_steps) {
  const std::string many =
      "    RUN --ssh for i in $(seq 40); do ssh-add -T /key.pub & done; wait; ssh-add -l && echo all\n";
  recipe("    BUILD +a\n    BUILD +b\na:\n    FROM +tools\n" + many + "b:\n    FROM +tools\n    RUN true\n" + many);
  const auto built = build();
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, Not(HasSubstr("agent refused operation")));
  EXPECT_THAT(built.out, Not(HasSubstr("failed")));
}

TEST_F(Ssh, an_agent_that_goes_meanwhile_fails_the_command_which_says_so) {
  recipe("    RUN --ssh ssh-add -l && echo begun; sleep 2; ssh-add -l\n");
  test::RunningClient client(*daemon, {"build", "--progress", "plain", "+t"}, with_agent());
  ASSERT_TRUE(holds_soon([&] { return client.log().find("| begun") != std::string::npos; })) << client.log();
  agent->end();
  EXPECT_NE(client.wait(), 0);
  EXPECT_THAT(client.log(), HasSubstr("the SSH agent could not be spoken to: the SSH agent does not answer"));
}

TEST_F(Ssh, a_client_that_goes_meanwhile_fails_the_command_which_says_so) {
  recipe("    RUN --ssh ssh-add -l && echo begun; sleep 2; ssh-add -l\n");
  {
    test::RunningClient client(*daemon, {"build", "--progress", "plain", "+t"}, with_agent());
    ASSERT_TRUE(holds_soon([&] { return client.log().find("| begun") != std::string::npos; })) << client.log();
    client.send(SIGKILL);
    client.wait();
  }
  ASSERT_TRUE(holds_soon([&] { return show_last()["state"] == "failed"; })) << show_last();
  EXPECT_THAT(show_last()["error"]["hint"], HasSubstr("the SSH agent could not be spoken to"));
}

// git over ssh, from a real server that knows the agent's key.
class GitBySsh : public Ssh {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    agent.emplace();
    server.emplace(agent->public_key());
    lib.emplace(hosts, "org/lib.git");
    lib->file("hello.txt", "hello from afar\n");
    lib->file("Earthfile",
              "VERSION 0.8\nFROM tiny\nmade:\n    COPY hello.txt /h\n    SAVE ARTIFACT /h\n    RUN cat /h\n");
    commit = lib->commit();
    // What is on the daemon's own host is fetched by a rule alone.
    const std::string host = "127.0.0.1:" + std::to_string(server->port());
    const std::string by_ssh = "ssh://" + server->user() + "@" + host;
    start({"--repositories", "[{match: \"inner.test/*/*\", url: \"" + by_ssh + hosts.path().string() +
                                 "/{path}.git\"}, {match: \"" + host + "/*/*/*/*\", url: \"" + by_ssh +
                                 "/{path}.git\"}, {match: \"*/*/*\"}]"});
    know_the_server();
  }
  void know_the_server() const { home.file(".ssh/known_hosts", server->known_hosts()); }
  std::string url() const { return server->url((hosts / "org/lib.git").string()); }
  void clone(const std::string& flags = "") {
    daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE " + flags + url() +
                                          " there\n    RUN cat there/hello.txt there/.git/config\n");
  }
  test::TempDirectory hosts;
  std::optional<SshServer> server;
  std::optional<test::GitRepository> lib;
  std::string commit;
};

TEST_F(GitBySsh, a_clone_has_the_users_key_from_his_agent) {
  clone();
  const auto built = build();
  ASSERT_EQ(built.code, 0) << built.out << built.err << server->log();
  EXPECT_THAT(built.out, HasSubstr("| hello from afar\n"));
  EXPECT_THAT(built.out, HasSubstr("url = \"" + url() + "\""));
  EXPECT_THAT(server->log(), HasSubstr("Accepted publickey"));
}

TEST_F(GitBySsh, a_commit_that_is_there_needs_neither_agent_nor_server) {
  clone("--branch " + commit + " ");
  ASSERT_EQ(build().code, 0);
  server.reset();
  daemon->project_file("other", "so that the project is another one");
  const auto again = daemon->ingot({"build", "+t"});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
}

TEST_F(GitBySsh, a_rule_may_say_ssh_for_references) {
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    FROM inner.test/org/lib+made\n    RUN cat /h\n");
  const auto built = build();
  ASSERT_EQ(built.code, 0) << built.out << built.err << server->log();
  EXPECT_THAT(built.out, HasSubstr("| hello from afar\n"));
  const auto alone = daemon->ingot({"build", "+t"});
  EXPECT_NE(alone.code, 0);
  EXPECT_THAT(alone.out + alone.err, HasSubstr("is fetched by ssh, as the daemon's configuration says"));
}

TEST_F(GitBySsh, a_submodule_by_ssh_has_it_too) {
  const test::GitRepository outer(hosts, "org/outer.git");
  outer.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib->bare(), "lib"});
  outer.git({"config", "-f", ".gitmodules", "submodule.lib.url", url()});
  outer.commit();
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    FROM tiny\n    GIT CLONE " +
                                        server->url((hosts / "org/outer.git").string()) +
                                        " there\n    RUN cat there/lib/hello.txt\n");
  const auto built = build();
  ASSERT_EQ(built.code, 0) << built.out << built.err << server->log();
  EXPECT_THAT(built.out, HasSubstr("| hello from afar\n"));
}

TEST_F(GitBySsh, an_unknown_host_is_an_error_with_the_cure_and_no_question) {
  home.file(".ssh/known_hosts", "");
  clone();
  const auto refused = build();
  EXPECT_NE(refused.code, 0);
  const std::string name = "[127.0.0.1]:" + std::to_string(server->port());
  EXPECT_THAT(refused.out + refused.err, AllOf(HasSubstr("Earthfile:4:15: cannot look at the repository"),
                                               HasSubstr("nobody has said by which key to know " + name),
                                               HasSubstr("ssh-keyscan -p " + std::to_string(server->port()) +
                                                         " 127.0.0.1 >> ~/.ssh/known_hosts")));
  EXPECT_THAT(server->log(), Not(HasSubstr("Accepted"))) << "nothing is shown to whom nobody knows";
  const SshServer other(agent->public_key());
  std::string wrong = other.known_hosts();
  wrong.replace(0, wrong.find(' '), name);
  home.file(".ssh/known_hosts", wrong);
  const auto changed = build();
  EXPECT_NE(changed.code, 0);
  EXPECT_THAT(changed.out + changed.err, HasSubstr("shows another key than it had"));
}

TEST_F(GitBySsh, a_key_that_the_server_does_not_know_is_told_of) {
  agent.emplace();  // another one
  clone();
  const auto refused = build();
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out + refused.err,
              AllOf(HasSubstr("its host wants to know who asks"), HasSubstr("`ssh-add -l` lists the keys")));
}

}  // namespace
}  // namespace ingot
