#include "daemon/store/tar_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/base/digest.h"
#include "tests/support/temp.h"
#include "tests/support/test_daemon.h"

namespace ingot::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Tar : public testing::Test {
 protected:
  std::string pack(const std::string& name, TarOptions options = {}) {
    std::string bytes;
    auto done = write_tar(*sys::RootedDir::open(directory.path()), name, options, [&](std::string_view part) -> Status {
      bytes += part;
      return {};
    });
    EXPECT_TRUE(done) << proto::render(done.error());
    return bytes;
  }
  // As GNU tar lists it.
  std::string list(const std::string& bytes) {
    directory.file("x.tar", bytes);
    auto listed = test::run_program(
        {"tar", "--numeric-owner", "--full-time", "--utc", "--quoting-style=literal", "-tvf", directory / "x.tar"});
    EXPECT_EQ(listed.err, "");
    return listed.out;
  }
  void make_tree(const std::string& name, bool backwards) {
    std::vector<std::string> files = {"a", "b/c", "b/" + std::string(120, 'n'), "ü/ß", "z"};
    if (backwards) std::reverse(files.begin(), files.end());
    for (const auto& file : files) directory.file(name + "/" + file, file);
    fs::create_symlink("../a", directory / (name + "/b/link"));
    fs::create_hard_link(directory / (name + "/a"), directory / (name + "/hard"));
  }
  test::TempDirectory directory;
};

TEST_F(Tar, equal_content_is_equal_bytes) {
  make_tree("one", false);
  make_tree("two", true);
  fs::last_write_time(directory / "two/z", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(base::Digest::of(pack("one")), base::Digest::of(pack("two")));
  directory.file("two/z", "other");
  EXPECT_NE(base::Digest::of(pack("one")), base::Digest::of(pack("two")));
}

TEST_F(Tar, entries_are_sorted_with_fixed_owners_and_times) {
  make_tree("t", false);
  const std::string listed = list(pack("t"));
  std::size_t at = 0;
  for (const char* line : {"0/0               1 2020-04-16 12:00:00 a\n", " 2020-04-16 12:00:00 b/\n", " b/c\n",
                           " b/link -> ../a\n", " hard link to a\n", " z\n", " ü/\n", " ü/ß\n"}) {
    const std::size_t found = listed.find(line, at);
    ASSERT_NE(found, std::string::npos) << line << "in\n" << listed;
    at = found;
  }
}

TEST_F(Tar, owners_and_times_can_be_kept) {
  if (geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
  directory.file("t/f", "x");
  ASSERT_EQ(chown((directory / "t/f").c_str(), 1000, 1001), 0);
  const timespec times[2] = {{1'500'000'000, 0}, {1'500'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (directory / "t/f").c_str(), times, 0), 0);
  EXPECT_THAT(list(pack("t", {true, true})), HasSubstr("1000/1001         1 2017-07-14 02:40:00 f"));
  EXPECT_THAT(list(pack("t")), HasSubstr("0/0               1 2020-04-16 12:00:00 f"));
}

TEST_F(Tar, names_that_are_no_text_are_kept_byte_by_byte) {
  directory.file("t/x\xff", "x");
  directory.file("x.tar", pack("t"));
  fs::create_directory(directory / "out");
  ASSERT_EQ(test::run_program({"tar", "-C", directory / "out", "-xf", directory / "x.tar"}).code, 0);
  EXPECT_EQ(test::slurp(directory / "out/x\xff"), "x");
}

TEST_F(Tar, what_users_and_setcap_attached_is_kept) {
  directory.file("t/f", "x");
  if (setxattr((directory / "t/f").c_str(), "user.note", "kept", 4, 0) != 0) {
    GTEST_SKIP() << "this file system has no extended attributes";
  }
  EXPECT_THAT(pack("t"), HasSubstr("SCHILY.xattr.user.note=kept\n"));
}

TEST_F(Tar, sockets_are_left_out_and_a_sinks_failure_is_passed_on) {
  directory.file("t/f", "x");
  ASSERT_EQ(mknod((directory / "t/socket").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_THAT(list(pack("t")), testing::Not(HasSubstr("socket")));
  auto failed = write_tar(*sys::RootedDir::open(directory.path()), "t", {},
                          [](std::string_view) -> Status { return base::fail(ErrorKind::no_space, "full"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::no_space);
}

TEST_F(Tar, a_tree_that_is_too_deep_is_said_and_not_crashed_on) {
  std::string path = "t";
  for (int i = 0; i < 260; ++i) path += "/d";
  fs::create_directories(directory / path);
  auto failed = write_tar(*sys::RootedDir::open(directory.path()), "t", {}, [](std::string_view) { return Status{}; });
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("more than 256 directories are inside of each other"));
}

}  // namespace
}  // namespace ingot::store
