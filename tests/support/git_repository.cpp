#include "tests/support/git_repository.h"

#include <fstream>
#include <stdexcept>

#include "tests/support/test_daemon.h"

namespace ingot::test {

namespace fs = std::filesystem;

GitRepository::GitRepository(const TempDirectory& directory, const std::string& name)
    : bare_(directory / name), tree_(directory / (name + "-tree")) {
  fs::create_directories(tree_);
  git({"init", "--quiet", "--bare", "--initial-branch=main", bare_});
  git({"init", "--quiet", "--initial-branch=main", "."});
  git({"remote", "add", "origin", bare_});
}

void GitRepository::file(const std::string& name, const std::string& text) const {
  const fs::path path = fs::path(tree_) / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string GitRepository::commit(const std::string& message) const {
  git({"add", "--all", "."});
  git({"commit", "--quiet", "--allow-empty", "-m", message});
  git({"push", "--quiet", "--all", "origin"});
  git({"--git-dir", bare_, "update-server-info"});
  return git({"rev-parse", "HEAD"});
}

void GitRepository::tag(const std::string& name, bool annotated) const {
  if (annotated)
    git({"tag", "-a", "-m", "a tag", name});
  else
    git({"tag", name});
  git({"push", "--quiet", "--tags", "origin"});
  git({"--git-dir", bare_, "update-server-info"});
}

void GitRepository::branch(const std::string& name) const {
  git({"checkout", "--quiet", "-b", name});
}

std::string GitRepository::git(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "git");
  const auto ran = run_program(arguments, tree_,
                               {{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                {"GIT_CONFIG_NOSYSTEM", "1"},
                                {"GIT_AUTHOR_NAME", "Ann Author"},
                                {"GIT_AUTHOR_EMAIL", "ann@example.com"},
                                {"GIT_AUTHOR_DATE", "1600000000 +0000"},
                                {"GIT_COMMITTER_NAME", "Carl Committer"},
                                {"GIT_COMMITTER_EMAIL", "carl@example.com"},
                                {"GIT_COMMITTER_DATE", "1600000100 +0000"}});
  if (ran.code != 0) throw std::runtime_error(arguments[1] + ": " + ran.err);
  return ran.out.substr(0, ran.out.find('\n'));
}

}  // namespace ingot::test
