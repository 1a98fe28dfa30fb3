#include "daemon/sandbox/mount_points.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::sandbox {
namespace {

namespace fs = std::filesystem;

timespec modified(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status.st_mtim;
}

void set_modified(const fs::path& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

// A root that is its own upper layer, as that of a step on `scratch` is.
class MountPointsTest : public ::testing::Test {
 protected:
  MountPointsTest() { fs::create_directories(root_); }
  MountPoints make() {
    auto opened = sys::RootedDir::open(root_);
    EXPECT_TRUE(opened);
    auto points = MountPoints::make(*opened, root_);
    EXPECT_TRUE(points) << proto::render(points.error());
    return *points;
  }

  test::TempDirectory directory_;
  fs::path root_ = directory_ / "root";
};

TEST_F(MountPointsTest, an_empty_root_is_empty_again) {
  set_modified(root_, 1000);
  auto points = make();
  for (const char* name : {"proc", "dev", "sys", "etc"}) EXPECT_TRUE(fs::is_directory(root_ / name)) << name;
  for (const char* name : {"etc/hosts", "etc/resolv.conf"}) EXPECT_TRUE(fs::is_regular_file(root_ / name)) << name;
  points.clean(root_);
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_EQ(modified(root_).tv_sec, 1000);
}

TEST_F(MountPointsTest, what_was_there_stays_as_it_was) {
  directory_.file("root/etc/hosts", "mine");
  fs::create_directories(root_ / "proc");
  set_modified(root_ / "etc", 1000);
  make().clean(root_);
  EXPECT_EQ(test::slurp(root_ / "etc/hosts"), "mine");
  EXPECT_TRUE(fs::exists(root_ / "proc"));
  EXPECT_FALSE(fs::exists(root_ / "etc/resolv.conf"));
  EXPECT_EQ(modified(root_ / "etc").tv_sec, 1000);
}

TEST_F(MountPointsTest, what_the_step_wrote_beside_it_stays_with_its_times) {
  fs::create_directories(root_ / "etc");
  set_modified(root_ / "etc", 1000);
  auto points = make();
  directory_.file("root/etc/passwd", "new");
  set_modified(root_ / "etc", 2000);
  points.clean(root_);
  EXPECT_TRUE(fs::exists(root_ / "etc/passwd"));
  EXPECT_FALSE(fs::exists(root_ / "etc/hosts"));
  EXPECT_EQ(modified(root_ / "etc").tv_sec, 2000);
}

TEST_F(MountPointsTest, a_link_to_a_file_that_is_not_there_is_followed) {
  fs::create_directories(root_ / "etc");
  fs::create_directories(root_ / "var/run");
  fs::create_symlink("/var/run", root_ / "run");
  fs::create_symlink("../run/systemd/resolve/stub-resolv.conf", root_ / "etc/resolv.conf");
  auto points = make();
  EXPECT_TRUE(fs::is_regular_file(root_ / "var/run/systemd/resolve/stub-resolv.conf"));
  points.clean(root_);
  EXPECT_TRUE(fs::is_symlink(root_ / "etc/resolv.conf"));
  EXPECT_TRUE(fs::is_empty(root_ / "var/run"));
}

TEST_F(MountPointsTest, no_link_leads_out) {
  fs::create_directories(root_ / "etc");
  fs::create_symlink("../../../outside", root_ / "etc/resolv.conf");
  fs::create_symlink(directory_ / "hosts", root_ / "etc/hosts");
  fs::create_symlink("dev", root_ / "dev");
  make().clean(root_);
  EXPECT_FALSE(fs::exists(directory_ / "outside"));
  EXPECT_FALSE(fs::exists(directory_ / "hosts"));
  EXPECT_FALSE(fs::exists(root_ / "outside"));
}

}  // namespace
}  // namespace ingot::sandbox
