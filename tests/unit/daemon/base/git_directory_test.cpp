#include "daemon/base/git_directory.h"

#include <gtest/gtest.h>

namespace ingot::base {
namespace {

TEST(GitDirectory, a_path_leads_into_it_by_a_whole_part) {
  for (const char* path : {".git", "/.git/", ".git/hooks/x", "lib/.git", "lib/.GIT/config", "./.Git"}) {
    EXPECT_TRUE(leads_into_git(path)) << path;
  }
  for (const char* path : {"", "x", "git", ".github/workflows", "x.git/y", ".gitignore", ".git.d/x"}) {
    EXPECT_FALSE(leads_into_git(path)) << path;
  }
}

}  // namespace
}  // namespace ingot::base
