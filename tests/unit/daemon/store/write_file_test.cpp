#include "daemon/store/write_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/copy_target.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class WriteFile : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "COPY sets owners, which needs root";
    std::filesystem::create_directories(directory / "root/existing");
    directory.file("root/etc/passwd", "me:x:7:8::/:/bin/sh\n");
  }
  std::string write(const graph::WriteFileOp& file) {
    auto done = write_file(file, *sys::RootedDir::open(directory / "root"));
    return done ? "" : proto::render(done.error());
  }
  struct stat status(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(lstat((directory / ("root/" + path)).c_str(), &result), 0) << path;
    return result;
  }
  test::TempDirectory directory;
  graph::WriteFileOp op{"EOF", "/a/b", false, "text\n", "", 0644};
};

TEST_F(WriteFile, has_the_name_of_the_destination_or_its_own_in_a_directory) {
  EXPECT_EQ(write(op), "");
  EXPECT_EQ(test::slurp(directory / "root/a/b"), "text\n");
  EXPECT_EQ(status("a/b").st_mtim.tv_sec, kCopyTimeSeconds);
  EXPECT_EQ(status("a/b").st_uid, 0U);
  EXPECT_EQ(status("a/b").st_mode & 07777U, 0644U);
  op.destination = "/existing";
  EXPECT_EQ(write(op), "");
  EXPECT_EQ(test::slurp(directory / "root/existing/EOF"), "text\n");
  op.destination = "/new";
  op.destination_is_directory = true;
  op.chown = "me";
  op.mode = 04750;
  EXPECT_EQ(write(op), "");
  EXPECT_EQ(status("new/EOF").st_uid, 7U);
  EXPECT_EQ(status("new/EOF").st_gid, 8U);
  EXPECT_EQ(status("new/EOF").st_mode & 07777U, 04750U);
}

TEST_F(WriteFile, replaces_what_stands_there_and_follows_no_link_out) {
  directory.file("outside", "untouched");
  std::filesystem::create_symlink((directory / "outside").string(), directory / "root/link");
  op.destination = "/link";
  EXPECT_EQ(write(op), "");
  EXPECT_EQ(test::slurp(directory / "outside"), "untouched");
  EXPECT_EQ(test::slurp(directory / "root/link"), "text\n");
}

}  // namespace
}  // namespace ingot::store
