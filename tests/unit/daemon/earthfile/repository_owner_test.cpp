#include "daemon/earthfile/repository_owner.h"

#include <gtest/gtest.h>

namespace ingot::earthfile {
namespace {

TEST(RepositoryOwner, is_the_host_and_the_first_part_of_the_path) {
  EXPECT_EQ(owner_of("github.com/org/repo"), "github.com/org");
  EXPECT_EQ(owner_of("gitlab.example:8443/deep/group/repo"), "gitlab.example:8443/deep");
  EXPECT_EQ(owner_of("host/repo"), "host/repo");
  EXPECT_EQ(owner_of("host"), "host");
}

TEST(RepositoryOwner, several_are_nobody_in_particular) {
  EXPECT_EQ(asked_by_too("", "a/x"), "a/x");
  EXPECT_EQ(asked_by_too("a/x", "a/x"), "a/x");
  EXPECT_EQ(asked_by_too("a/x", "a/y"), kSeveralOwners);
  EXPECT_EQ(asked_by_too(kSeveralOwners, "a/y"), kSeveralOwners);
}

}  // namespace
}  // namespace ingot::earthfile
