#include "daemon/store/accounts.h"

#include <gtest/gtest.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class Accounts : public testing::Test {
 protected:
  Accounts() {
    directory.file("etc/passwd",
                   "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken:x:many:0::/:\n");
    directory.file("etc/group", "root:x:0:\napps:x:1001:\nextra:x:2000:other,app\n");
  }
  Result<Account> find(const std::string& spec) { return find_account(*sys::RootedDir::open(directory.path()), spec); }
  test::TempDirectory directory;
};

TEST_F(Accounts, names_and_numbers_are_the_images_own) {
  auto app = *find("app");
  EXPECT_EQ(app.uid, 1000U);
  EXPECT_EQ(app.gid, 1001U);
  EXPECT_EQ(app.home, "/home/app");
  EXPECT_EQ(app.groups, std::vector<gid_t>{2000});
  EXPECT_EQ(find("1000")->gid, 1001U) << "a number that passwd knows";
  EXPECT_EQ(find("4242")->uid, 4242U);
  EXPECT_EQ(find("4242")->gid, 0U);
  EXPECT_EQ(find("app:extra")->gid, 2000U);
  EXPECT_EQ(find("app:77")->gid, 77U);
  EXPECT_EQ(find("")->home, "/root");
}

TEST_F(Accounts, unknown_ones_are_said_with_their_neighbours) {
  EXPECT_EQ(proto::render(find("ap").error()), "the image has no user \"ap\"\nhint: did you mean \"app\"?");
  EXPECT_EQ(proto::render(find("app:extar").error()),
            "the image has no group \"extar\"\nhint: did you mean \"extra\"?");
}

TEST_F(Accounts, nothing_that_is_no_number_passes_for_root) {
  EXPECT_EQ(find("broken").error().message, "the image has no user \"broken\"");
  EXPECT_EQ(find("4294967295").error().message, "the image has no user \"4294967295\"");
}

TEST_F(Accounts, an_image_without_passwd_has_root_and_numbers) {
  std::filesystem::remove_all(directory / "etc");
  EXPECT_EQ(find("")->uid, 0U);
  EXPECT_EQ(find("5:6")->gid, 6U);
  EXPECT_FALSE(find("app"));
}

TEST_F(Accounts, a_passwd_that_is_a_link_to_the_hosts_is_not_read) {
  directory.file("outside", "evil:x:7:7::/:\n");
  std::filesystem::remove(directory / "etc/passwd");
  std::filesystem::create_symlink(directory / "outside", directory / "etc/passwd");
  EXPECT_FALSE(find("evil"));
}

}  // namespace
}  // namespace ingot::store
