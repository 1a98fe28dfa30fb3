#include "daemon/git/ssh.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "daemon/git/failure.h"
#include "daemon/git/job_repositories.h"
#include "daemon/sys/unix_socket.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::git {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FakeUser : public SshUser {
 public:
  Status serve_agent(int connection, const sys::CancelToken&) override {
    return write(connection, "agent", 5) == 5 ? Status() : base::fail(ErrorKind::internal, "no agent");
  }
  Result<std::string> known_hosts(const std::string& host, const sys::CancelToken&) override {
    asked.push_back(host);
    return host + " ssh-ed25519 AAAA\n";
  }
  std::vector<std::string> asked;
};

std::string value_of(const sys::Command& command, const std::string& name) {
  for (const auto& text : *command.environment) {
    if (text.starts_with(name + "=")) return text.substr(name.size() + 1);
  }
  return {};
}

// What lies at a path while git runs: afterwards it may be gone.
struct Seen {
  std::string agent;
  std::string known_hosts;
  std::string command;
};

struct Asked {
  std::vector<Seen> seen;
  std::string err;
  int code = 0;
  test::FakeProcesses processes{
      [this](const sys::Command& command, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
        Seen one;
        one.command = value_of(command, "GIT_SSH_COMMAND");
        const std::string socket = value_of(command, "SSH_AUTH_SOCK");
        if (!socket.empty()) {
          const auto connected = sys::connect_unix(socket);
          char said[5] = {};
          if (connected && read(connected->get(), said, sizeof said) == sizeof said)
            one.agent.assign(said, sizeof said);
        }
        const std::size_t at = one.command.find("UserKnownHostsFile=\"");
        if (at != std::string::npos) {
          const std::size_t begin = one.command.find('"', at) + 1;
          one.known_hosts = test::slurp(one.command.substr(begin, one.command.find('"', begin) - begin));
        }
        seen.push_back(one);
        const std::string commit(40, 'a');
        sink(sys::Stream::out, commit + "\trefs/heads/main\n" + commit + "\tHEAD\n");
        sink(sys::Stream::err, err);
        return sys::ExitStatus{code};
      }};
  std::vector<Rule> rules = default_rules();
  Repositories repositories{rules, {}, processes};
};

TEST(Ssh, hosts_are_named_as_in_known_hosts) {
  EXPECT_EQ(known_hosts_name("git@host.example:org/r.git"), "host.example");
  EXPECT_EQ(known_hosts_name("ssh://git@host.example/org/r.git"), "host.example");
  EXPECT_EQ(known_hosts_name("ssh://host.example:22/org/r.git"), "host.example");
  EXPECT_EQ(known_hosts_name("ssh://git@host.example:2222/org/r.git"), "[host.example]:2222");
  EXPECT_EQ(known_hosts_name("ssh://git@[::1]:2222/r"), "[::1]:2222");
  EXPECT_EQ(known_hosts_name("ssh://git@[::1]/r"), "::1");
}

TEST(Ssh, reads_nobodys_configuration_and_keys_and_asks_nobody) {
  const std::string command = ssh_command({"/a/agent", "/a b/known"});
  for (const char* part : {"ssh -F none ", "BatchMode=yes", "StrictHostKeyChecking=yes", "IdentityFile=none",
                           "ForwardAgent=no", "'UserKnownHostsFile=\"/a b/known\"'"}) {
    EXPECT_THAT(command, HasSubstr(part));
  }
}

TEST(Ssh, git_speaks_to_the_users_agent_and_knows_his_hosts) {
  Asked git;
  const auto user = std::make_shared<FakeUser>();
  JobRepositories job(git.repositories, {}, {}, user);
  ASSERT_TRUE(job.find("git@host.example:org/r.git", "main", {}));
  ASSERT_TRUE(job.find("ssh://git@host.example:2222/org/r.git", "main", {}));
  ASSERT_TRUE(job.find("git@host.example:org/other.git", "main", {}));
  ASSERT_EQ(git.seen.size(), 3U);
  EXPECT_EQ(git.seen[0].agent, "agent");
  EXPECT_EQ(git.seen[0].known_hosts, "host.example ssh-ed25519 AAAA\n");
  EXPECT_EQ(git.seen[1].known_hosts, "[host.example]:2222 ssh-ed25519 AAAA\n");
  EXPECT_THAT(user->asked, ElementsAre("host.example", "[host.example]:2222")) << "each host once";
  const auto command = git.processes.commands().at(0);
  EXPECT_THAT(*command.environment, AllOf(Contains("GIT_ALLOW_PROTOCOL=ssh"), Contains("GIT_SSH_VARIANT=ssh")));
  EXPECT_THAT(command.argv, Contains("git@host.example:org/r.git"));
}

// Else who writes a recipe that is built upon could fetch what its user may see, and send it away.
TEST(Ssh, the_users_agent_is_not_for_recipes_of_others) {
  Asked git;
  JobRepositories job(git.repositories, {}, {}, std::make_shared<FakeUser>());
  ASSERT_TRUE(job.find("git@host.example:org/r.git", "main", {}, "host.example/org"));
  ASSERT_EQ(git.seen.size(), 1U);
  EXPECT_EQ(git.seen[0].agent, "agent") << "of the same owner";
  ASSERT_TRUE(job.find("git@host.example:victim/r.git", "main", {}, "host.example/evil"));
  ASSERT_GT(git.seen.size(), 1U);
  for (std::size_t i = 1; i < git.seen.size(); ++i) {
    EXPECT_EQ(git.seen[i].agent, "");
    EXPECT_THAT(git.processes.commands().at(i).argv, Contains(HasSubstr("https://host.example/victim/r")));
  }
  git.err = "fatal: Authentication failed\n";
  git.code = 128;
  const auto refused = job.find("git@host.example:victim/private.git", std::string(40, 'a'), {}, "host.example/evil");
  ASSERT_FALSE(refused) << "a commit that is known is not enough";
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
}

TEST(Ssh, what_ssh_was_given_goes_with_the_job) {
  Asked git;
  std::filesystem::path socket;
  {
    JobRepositories job(git.repositories, {}, {}, std::make_shared<FakeUser>());
    ASSERT_TRUE(job.find("git@host.example:org/r.git", "main", {}));
    socket = value_of(git.processes.commands().at(0), "SSH_AUTH_SOCK");
    EXPECT_TRUE(std::filesystem::exists(socket));
  }
  EXPECT_FALSE(std::filesystem::exists(socket.parent_path()));
}

TEST(Ssh, whoever_is_asked_by_https_sees_nothing_of_it) {
  Asked git;
  JobRepositories job(git.repositories, {}, {}, std::make_shared<FakeUser>());
  ASSERT_TRUE(job.find("github.com/org/repo", "main", {}));
  EXPECT_EQ(git.seen.at(0).agent + git.seen.at(0).command, "");
  JobRepositories alone(git.repositories, {}, {});
  ASSERT_TRUE(alone.find("git@host.example:org/r.git", "main", {}));
  EXPECT_EQ(git.seen.at(1).agent + git.seen.at(1).command, "");
  EXPECT_THAT(git.processes.commands().at(1).argv, Contains("https://host.example/org/r.git"));
}

TEST(Ssh, what_uses_an_agent_is_the_jobs_own) {
  Asked git;
  const auto user = std::make_shared<FakeUser>();
  JobRepositories one(git.repositories, {}, {}, user);
  JobRepositories other(git.repositories, {}, {}, user);
  EXPECT_NE(one.fingerprint(), other.fingerprint());
  EXPECT_EQ(JobRepositories(git.repositories, {}, {}).fingerprint(),
            JobRepositories(git.repositories, {}, {}).fingerprint());
}

TEST(Ssh, a_rule_that_says_ssh_needs_an_agent) {
  Asked git;
  git.repositories.set_rules({{"*/*/*", "ssh://git@inner.example/{path}.git", "", false}});
  JobRepositories job(git.repositories, {}, {});
  const auto refused = job.find("github.com/org/repo", "main", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_THAT(refused.error().message, HasSubstr("is fetched by ssh, as the daemon's configuration says"));
  EXPECT_TRUE(git.seen.empty());
}

class Refusals : public testing::Test {
 protected:
  Error of(const std::string& words, const std::string& url = "ssh://git@host.example:2222/org/r.git") {
    Asked git;
    git.err = words +
              "\r\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct "
              "access rights\nand the repository exists.\n";
    git.code = 128;
    JobRepositories job(git.repositories, {}, {}, std::make_shared<FakeUser>());
    return job.find(url, "main", {}).error();
  }
};

TEST_F(Refusals, an_unknown_host_is_told_of_with_the_cure) {
  const auto error =
      of("No ED25519 host key is known for [host.example]:2222 and you have requested strict checking.\r\n"
         "Host key verification failed.");
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_EQ(error.message,
            "cannot look at the repository host.example:2222/org/r: nobody has said by which key to know "
            "[host.example]:2222");
  EXPECT_THAT(error.hint, AllOf(HasSubstr("ssh-keyscan -p 2222 host.example >> ~/.ssh/known_hosts"),
                                HasSubstr("/etc/ssh/ssh_known_hosts")));
  EXPECT_THAT(of("Host key verification failed.", "git@host.example:org/r.git").hint,
              HasSubstr("ssh-keyscan host.example >>"));
}

TEST_F(Refusals, a_host_with_another_key_is_not_to_be_trusted) {
  const auto error = of("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.");
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_THAT(error.message, HasSubstr("shows another key than it had"));
  EXPECT_THAT(error.hint, HasSubstr("ssh-keygen -R '[host.example]:2222'"));
}

TEST_F(Refusals, a_key_that_is_not_taken) {
  const auto error = of("git@host.example: Permission denied (publickey).");
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_THAT(error.message, HasSubstr("its host wants to know who asks"));
  EXPECT_THAT(error.hint, AllOf(HasSubstr("ssh-add -l"), Not(HasSubstr("credential"))));
}

TEST_F(Refusals, what_ssh_says_is_told_and_not_what_git_makes_of_it) {
  const auto error = of("ssh: connect to host host.example port 2222: Connection refused");
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_THAT(error.message, HasSubstr("port 2222: Connection refused"));
  const auto missing = of("error: cannot run ssh: No such file or directory");
  EXPECT_EQ(missing.kind, ErrorKind::unsupported);
  EXPECT_THAT(missing.hint, HasSubstr("openssh-client"));
}

TEST_F(Refusals, without_an_agent_the_cure_is_one) {
  Asked git;
  git.err = "fatal: could not read Username for 'https://host.example': terminal prompts disabled\n";
  git.code = 128;
  JobRepositories job(git.repositories, {}, {});
  EXPECT_THAT(job.find("git@host.example:org/r.git", "main", {}).error().hint,
              HasSubstr("it is asked by https, since the client has no SSH agent with keys"));
}

}  // namespace
}  // namespace ingot::git
