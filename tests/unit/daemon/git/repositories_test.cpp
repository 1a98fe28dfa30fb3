#include "daemon/git/repositories.h"

#include <gmock/gmock.h>

#include "daemon/git/job_repositories.h"
#include "tests/support/fakes.h"
#include "tests/support/git_repository.h"

namespace ingot::git {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// A fake git that prints, and remembers what it was asked.
struct FakeGit {
  std::string out;
  std::string err;
  int code = 0;
  test::FakeProcesses processes{[this](const sys::Command&, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
    sink(sys::Stream::out, out);
    sink(sys::Stream::err, err);
    return sys::ExitStatus{code};
  }};
  Repositories repositories{default_rules(), {}, processes};
  Location location = locate(default_rules(), "github.com/org/repo").value();

  Result<Revision> look(const std::string& ref) { return repositories.look(location, ref, Means{}, {}); }
  Error failed(const std::string& words) {
    err = words;
    code = 128;
    return look("main").error();
  }
};

std::string id(char digit) {
  return std::string(40, digit);
}

TEST(Look, a_tag_comes_before_a_branch_and_means_its_commit) {
  FakeGit git;
  git.out = id('a') + "\trefs/heads/v1\n" + id('b') + "\trefs/tags/v1\n" + id('c') + "\trefs/tags/v1^{}\n" + id('d') +
            "\trefs/heads/feature/x\n";
  EXPECT_EQ(git.look("v1")->commit, id('c'));
  EXPECT_EQ(git.look("v1")->tag, "v1");
  EXPECT_EQ(git.look("feature/x")->branch, "feature/x");
  EXPECT_EQ(git.look("refs/heads/v1")->commit, id('a'));
  EXPECT_EQ(git.look("ddddddd")->commit, id('d')) << "a beginning of what something points to";
  EXPECT_THAT(git.look("v2").error().hint, HasSubstr("did you mean \"v1\"?"));
  EXPECT_THAT(git.look("nothing-like-it").error().hint, HasSubstr("it has "));
}

TEST(Look, the_default_branch) {
  FakeGit git;
  git.out = "ref: refs/heads/trunk\tHEAD\n" + id('a') + "\tHEAD\n";
  EXPECT_EQ(git.look("")->branch, "trunk");
  EXPECT_EQ(git.look("")->commit, id('a'));
  git.out = "";
  EXPECT_EQ(git.look("").error().kind, ErrorKind::not_found);
}

TEST(Look, a_whole_commit_asks_nobody_and_a_bad_ref_neither) {
  FakeGit git;
  EXPECT_EQ(git.look(id('a'))->commit, id('a'));
  EXPECT_EQ(git.look("--upload-pack=touch x").error().kind, ErrorKind::invalid);
  EXPECT_TRUE(git.processes.commands().empty());
}

TEST(Look, git_reads_no_configuration_and_speaks_one_protocol) {
  FakeGit git;
  (void)git.look("main");
  const auto command = git.processes.commands().at(0);
  EXPECT_THAT(*command.environment, AllOf(Contains("GIT_ALLOW_PROTOCOL=https"), Contains("GIT_CONFIG_NOSYSTEM=1"),
                                          Contains("GIT_CONFIG_GLOBAL=/dev/null"), Contains("GIT_TERMINAL_PROMPT=0"),
                                          Contains("GIT_ASKPASS=")));
  EXPECT_THAT(*command.environment, Contains("GIT_CONFIG_VALUE_0=/dev/null")) << "no hooks";
  const auto dashes = std::find(command.argv.begin(), command.argv.end(), "--");
  ASSERT_NE(dashes, command.argv.end());
  EXPECT_EQ(*(dashes + 1), "https://github.com/org/repo.git");
}

TEST(Look, failures_have_a_kind_and_a_cure) {
  FakeGit git;
  EXPECT_EQ(git.failed("fatal: could not read Username for 'https://github.com': terminal prompts disabled\n").kind,
            ErrorKind::denied);
  EXPECT_THAT(git.failed("fatal: Authentication failed for 'https://github.com/'\n").hint,
              HasSubstr("git config credential.helper"));
  EXPECT_EQ(git.failed("remote: Repository not found.\nfatal: repository 'x' not found\n").kind, ErrorKind::not_found);
  const auto host = git.failed("fatal: unable to access 'x': Could not resolve host: github.com\n");
  EXPECT_EQ(host.kind, ErrorKind::unavailable);
  EXPECT_THAT(host.hint, HasSubstr("name server"));
  EXPECT_THAT(git.failed("fatal: unable to access 'https://u:p@x/': Failed to connect to x port 443\n").message,
              AllOf(HasSubstr("Failed to connect"), Not(HasSubstr("u:p"))));
  EXPECT_THAT(git.failed("fatal: SSL certificate problem: self-signed certificate\n").hint, HasSubstr("ca_file"));
  EXPECT_THAT(git.failed("fatal: bad\x1b[31mthing\n").message, Not(HasSubstr("\x1b")));
}

TEST(Look, without_git_the_package_is_named) {
  test::FakeProcesses processes([](const sys::Command&, const sys::OutputSink&) -> Result<sys::ExitStatus> {
    return base::fail(ErrorKind::unsupported, "no such program");
  });
  Repositories repositories(default_rules(), {}, processes);
  EXPECT_THAT(repositories.look(locate(default_rules(), "a.b/c/d").value(), "", Means{}, {}).error().hint,
              HasSubstr("install the package git"));
}

TEST(JobRepositories, a_name_means_one_commit_and_credentials_go_to_their_host) {
  FakeGit git;
  git.out = id('a') + "\trefs/heads/main\n";
  JobRepositories job(git.repositories,
                      {{"ingot.git-credentials.github.com", "username=me\npassword=word\n"}, {"OTHER", "x"}}, {});
  EXPECT_EQ(job.find("github.com/org/repo/dir", "main", {})->revision.commit, id('a'));
  git.out = id('b') + "\trefs/heads/main\n";
  EXPECT_EQ(job.find("github.com/org/repo", "main", {})->revision.commit, id('a')) << "it moved meanwhile";
  ASSERT_EQ(git.processes.commands().size(), 1U);
  EXPECT_THAT(*git.processes.commands()[0].environment, Contains("INGOT_GIT_PASSWORD=word"));
  const auto first = git.processes.commands()[0];
  for (const auto& argument : first.argv) EXPECT_THAT(argument, Not(HasSubstr("word")));
  ASSERT_TRUE(job.find("other.com/org/repo", "main", {}));
  EXPECT_THAT(*git.processes.commands()[1].environment, Not(Contains(HasSubstr("INGOT_GIT_PASSWORD"))));
  ASSERT_TRUE(job.find("https://you:t%40ken@third.com/org/repo", "main", {}));
  EXPECT_THAT(*git.processes.commands()[2].environment, Contains("INGOT_GIT_PASSWORD=t@ken"));
  ASSERT_EQ(job.used().size(), 3U);
  EXPECT_EQ(job.used()[0].name, "github.com/org/repo");
  EXPECT_EQ(job.used()[2].url, "https://third.com/org/repo");
}

TEST(JobRepositories, credentials_in_a_url_are_for_that_url) {
  FakeGit git;
  git.out = id('a') + "\trefs/heads/main\n";
  JobRepositories job(git.repositories, {{"ingot.git-credentials.a.com", "username=me\npassword=mine\n"}}, {});
  const auto password = [&](const std::string& reference) {
    EXPECT_TRUE(job.find(reference, "main", {}));
    const sys::Command asked = git.processes.commands().back();
    for (const auto& text : *asked.environment) {
      if (text.starts_with("INGOT_GIT_PASSWORD=")) return text.substr(text.find('=') + 1);
    }
    return std::string();
  };
  EXPECT_EQ(password("https://x:one@a.com/org/one"), "one");
  EXPECT_EQ(password("https://x:two@a.com/org/two"), "two");
  EXPECT_EQ(password("https://a.com/org/three"), "mine") << "what a recipe has is not for other repositories";
  EXPECT_EQ(password("https://x:four@b.com/org/four"), "four");
  EXPECT_EQ(password("https://b.com/org/five"), "four") << "of a submodule";
}

// Else who writes a recipe that is built upon could fetch what its user may see, and send it away.
TEST(JobRepositories, the_users_credentials_are_not_for_recipes_of_others) {
  FakeGit git;
  git.out = id('a') + "\trefs/heads/main\n" + id('a') + "\tHEAD\n";
  JobRepositories job(git.repositories, {{"ingot.git-credentials.github.com", "username=me\npassword=mine\n"}}, {});
  const auto passwords = [&](std::size_t from) {
    std::string all;
    const auto commands = git.processes.commands();
    for (std::size_t i = from; i < commands.size(); ++i) {
      std::string password = "none";
      for (const auto& text : *commands[i].environment) {
        if (text.starts_with("INGOT_GIT_PASSWORD=")) password = text.substr(text.find('=') + 1);
      }
      all += (all.empty() ? "" : " ") + password;
    }
    return all;
  };
  ASSERT_TRUE(job.find("github.com/org/one", "main", {}, "github.com/org"));
  EXPECT_EQ(passwords(0), "mine") << "of the same owner";
  ASSERT_TRUE(job.find("github.com/org/two", "main", {}, "github.com/other"));
  EXPECT_EQ(passwords(1), "none mine") << "what everybody may see may be fetched by whatever";
  ASSERT_TRUE(job.find("https://github.com/org/two.git", "main", {}, "several owners"));
  EXPECT_EQ(passwords(3), "") << "known by now";
  ASSERT_TRUE(job.find("https://you:yours@github.com/org/three.git", "main", {}, "github.com/other"));
  EXPECT_EQ(passwords(3), "yours yours") << "their own";

  git.err = "fatal: Authentication failed\n";
  git.code = 128;
  for (const auto& ref : {std::string("main"), std::string(40, 'a')}) {
    const auto refused = job.find("github.com/victim/private", ref, {}, "github.com/evil");
    ASSERT_FALSE(refused) << "a commit that is known is not enough";
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_EQ(refused.error().hint,
              "it is asked for by recipes of github.com/evil, and your credentials are for your own and, of a "
              "repository, for those of its owner; if it is yours to give: GIT CLONE "
              "https://github.com/victim/private.git in an Earthfile of your own");
  }
  EXPECT_THAT(job.find("https://github.com/org/three.git", "main", {}, "github.com/another").error().hint,
              HasSubstr("asked for by recipes of github.com/another"))
      << "what one of them may see by credentials of its own";
  EXPECT_THAT(job.find("elsewhere.com/a/b", "main", {}, "several owners").error().hint,
              HasSubstr("by recipes of several owners, and your credentials are for your own; if it is"));
  git.err.clear();
  git.code = 0;
  ASSERT_TRUE(job.find("github.com/victim/private", "main", {}));
  EXPECT_FALSE(passwords(0).empty());
  git.code = 128;
  git.err = "fatal: Authentication failed\n";
  EXPECT_FALSE(job.find("github.com/victim/private", "main", {}, "github.com/evil")) << "though the job knows it";
}

TEST(JobRepositories, lost_credentials_are_told_of) {
  FakeGit git;
  git.err = "fatal: Authentication failed\n";
  git.code = 128;
  JobRepositories job(git.repositories, {}, {"ingot.git-credentials.github.com"});
  EXPECT_THAT(job.find("github.com/org/repo", "", {}).error().hint, HasSubstr("submit it again"));
}

class CheckOut : public testing::Test {
 protected:
  Status check_out(const graph::GitOp& op, const fs::path& to, const Limits& limits = {}) {
    fs::create_directories(to);
    Repositories repositories({{"host.test/*/*", "file://" + directory.path().string() + "/{path}", "", false}}, limits,
                              sys::system_processes());
    return repositories.check_out(op, to, Means{}, {});
  }
  test::TempDirectory directory;
  test::GitRepository repository{directory, "org/repo"};
};

TEST_F(CheckOut, is_the_same_at_any_time) {
  repository.file("f", "text\n");
  repository.file("d/run", "#!/bin/sh\n");
  fs::permissions(repository.tree() + "/d/run", fs::perms(0755));
  fs::create_symlink("/etc/passwd", repository.tree() + "/link");
  const std::string commit = repository.commit();
  repository.tag("v1");
  const graph::GitOp op{"https://host.test/org/repo.git", commit, "v1", "refs/tags/v1"};
  ASSERT_TRUE(check_out(op, directory / "one"));
  repository.file("g", "later\n");
  repository.commit();
  ASSERT_TRUE(check_out(op, directory / "two"));
  EXPECT_EQ(test::slurp(directory / "one/f"), "text\n");
  EXPECT_TRUE(fs::is_symlink(directory / "one/link"));
  EXPECT_EQ(fs::status(directory / "one/d/run").permissions(), fs::perms(0755));
  EXPECT_EQ(test::slurp(directory / "one/.git/index"), test::slurp(directory / "two/.git/index"));
  EXPECT_EQ(test::slurp(directory / "one/.git/config"), test::slurp(directory / "two/.git/config"));
  EXPECT_THAT(test::slurp(directory / "one/.git/config"), Not(HasSubstr("file://")));
  const auto git = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", (directory / "one").string()});
    return repository.git(arguments);
  };
  EXPECT_EQ(git({"rev-parse", "HEAD"}), commit);
  EXPECT_EQ(git({"describe", "--tags"}), "v1");
  EXPECT_EQ(git({"status", "--porcelain"}), "");
}

TEST_F(CheckOut, limits_and_what_is_not_there) {
  repository.file("f", std::string(2000, 'x'));
  const std::string commit = repository.commit();
  Limits small;
  small.file_bytes = 1000;
  EXPECT_EQ(check_out({"https://host.test/org/repo.git", commit, "", ""}, directory / "one", small).error().kind,
            ErrorKind::too_large);
  small = {};
  small.entries = 0;
  EXPECT_EQ(check_out({"https://host.test/org/repo.git", commit, "", ""}, directory / "two", small).error().kind,
            ErrorKind::too_large);
  const auto missing = check_out({"https://host.test/org/repo.git", id('1'), "", ""}, directory / "three");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found) << missing.error().message;
}

}  // namespace
}  // namespace ingot::git
