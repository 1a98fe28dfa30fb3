#include "daemon/store/tree_copy.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/store/copy_target.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TreeCopy : public testing::Test {
 protected:
  TreeCopy() {
    fs::create_directories(directory / "from/dir/empty");
    directory.file("from/dir/a", "one");
    directory.file("from/dir/sub/b", "two");
    directory.file("from/other", "three");
    fs::create_symlink("dir/a", directory / "from/link");
    fs::create_symlink("/dir", directory / "from/to_dir");
    fs::create_directories(directory / "to/existing");
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "what is copied is root's, which only root can give away";
  }
  static graph::CopyOp op(std::vector<std::string> sources, const std::string& destination, bool into = false) {
    graph::CopyOp made;
    made.from = 0;
    made.sources = std::move(sources);
    made.destination = destination;
    made.destination_is_directory = into;
    return made;
  }
  // The rendered error; "" when it worked.
  std::string copy(const graph::CopyOp& what) {
    auto done = copy_from_tree("COPY", what, *sys::RootedDir::open(directory / "from"),
                               *sys::RootedDir::open(directory / "to"), nullptr, {});
    return done ? "" : proto::render(done.error());
  }
  // Whether the copy takes the same as it would have taken when remember() was called.
  bool takes_the_same(const graph::CopyOp& what) {
    const auto same = same_selection(what, *sys::RootedDir::open(directory / "from"),
                                     *sys::RootedDir::open(directory / "remembered"));
    EXPECT_TRUE(same) << proto::render(same.error());
    return same.value_or(false);
  }
  void remember() {
    fs::remove_all(directory / "remembered");
    ASSERT_EQ(
        std::system(("cp -a " + (directory / "from").string() + " " + (directory / "remembered").string()).c_str()), 0);
  }
  std::string text(const std::string& path) { return test::slurp(directory / ("to/" + path)); }
  struct stat status(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(lstat((directory / path).c_str(), &result), 0) << path;
    return result;
  }
  test::TempDirectory directory;
};

TEST_F(TreeCopy, files_directories_and_patterns_go_where_a_copy_of_the_project_would) {
  EXPECT_EQ(copy(op({"/dir/a"}, "/renamed")), "");
  EXPECT_EQ(copy(op({"/dir/a"}, "/existing")), "");
  EXPECT_EQ(copy(op({"/dir"}, "/contents")), "");
  EXPECT_EQ(copy(op({"/dir/*"}, "/matches", true)), "");
  EXPECT_EQ(copy(op({"/dir/a", "/other"}, "/both", true)), "");
  for (const char* path : {"renamed", "existing/a", "contents/a", "matches/a", "both/a"}) {
    EXPECT_EQ(text(path), "one") << path;
  }
  EXPECT_EQ(text("contents/sub/b"), "two");
  EXPECT_EQ(text("matches/b"), "two") << "a matching directory gives its contents";
  EXPECT_TRUE(fs::is_directory(directory / "to/contents/empty"));
  graph::CopyOp with_dir = op({"/dir"}, "/existing");
  with_dir.dir = true;
  EXPECT_EQ(copy(with_dir), "");
  EXPECT_EQ(text("existing/dir/a"), "one");
}

TEST_F(TreeCopy, the_whole_file_system_can_be_copied) {
  EXPECT_EQ(copy(op({"/"}, "/all")), "");
  EXPECT_EQ(text("all/dir/sub/b"), "two");
  EXPECT_EQ(fs::read_symlink(directory / "to/all/link"), "dir/a");
}

TEST_F(TreeCopy, a_source_that_is_a_link_is_followed_unless_told_not_to) {
  EXPECT_EQ(copy(op({"/link"}, "/copied")), "");
  EXPECT_EQ(text("copied"), "one");
  EXPECT_EQ(copy(op({"/to_dir"}, "/tree")), "");
  EXPECT_EQ(text("tree/sub/b"), "two");
  graph::CopyOp keep = op({"/link"}, "/kept");
  keep.symlink_no_follow = true;
  EXPECT_EQ(copy(keep), "");
  EXPECT_EQ(fs::read_symlink(directory / "to/kept"), "dir/a");
}

TEST_F(TreeCopy, times_are_the_languages_unless_kept) {
  const timespec times[2] = {{1000, 5}, {1000, 5}};
  utimensat(AT_FDCWD, (directory / "from/dir/a").c_str(), times, 0);
  EXPECT_EQ(copy(op({"/dir"}, "/plain")), "");
  EXPECT_EQ(status("to/plain/a").st_mtim.tv_sec, kCopyTimeSeconds);
  EXPECT_EQ(status("to/plain").st_mtim.tv_sec, kCopyTimeSeconds);
  graph::CopyOp keep = op({"/dir"}, "/kept");
  keep.keep_ts = true;
  EXPECT_EQ(copy(keep), "");
  EXPECT_EQ(status("to/kept/a").st_mtim.tv_sec, 1000);
  EXPECT_EQ(status("to/kept/a").st_mtim.tv_nsec, 5);
}

TEST_F(TreeCopy, owners_are_roots_unless_kept_or_given) {
  if (geteuid() != 0) GTEST_SKIP() << "owners need root";
  ASSERT_EQ(chown((directory / "from/dir/a").c_str(), 7, 8), 0);
  ASSERT_EQ(chmod((directory / "from/dir/a").c_str(), 04751), 0);
  graph::CopyOp keep = op({"/dir/a"}, "/kept");
  keep.keep_own = true;
  graph::CopyOp given = op({"/dir/a"}, "/given");
  given.chown = "11:12";
  given.chmod = 0600;
  EXPECT_EQ(copy(op({"/dir/a"}, "/plain")) + copy(keep) + copy(given), "");
  EXPECT_EQ(status("to/plain").st_uid, 0U);
  EXPECT_EQ(status("to/plain").st_mode & 07777U, 04751U);
  EXPECT_EQ(status("to/kept").st_uid, 7U);
  EXPECT_EQ(status("to/kept").st_gid, 8U);
  EXPECT_EQ(status("to/kept").st_mode & 07777U, 04751U);
  EXPECT_EQ(status("to/given").st_uid, 11U);
  EXPECT_EQ(status("to/given").st_gid, 12U);
  EXPECT_EQ(status("to/given").st_mode & 07777U, 0600U);
}

TEST_F(TreeCopy, names_of_one_file_stay_names_of_one_file) {
  fs::create_hard_link(directory / "from/dir/a", directory / "from/dir/sub/again");
  EXPECT_EQ(copy(op({"/dir"}, "/linked")), "");
  EXPECT_EQ(status("to/linked/a").st_ino, status("to/linked/sub/again").st_ino);
  EXPECT_EQ(status("to/linked/a").st_nlink, 2U);
  EXPECT_NE(status("to/linked/a").st_ino, status("from/dir/a").st_ino);
}

TEST_F(TreeCopy, holes_stay_holes) {
  const fs::path sparse = directory.file("from/sparse", "begin");
  fs::resize_file(sparse, 64U << 20);
  const int fd = open(sparse.c_str(), O_WRONLY);
  ASSERT_EQ(pwrite(fd, "middle", 6, 32 << 20), 6);
  close(fd);
  EXPECT_EQ(copy(op({"/sparse"}, "/sparse")), "");
  EXPECT_EQ(status("to/sparse").st_size, 64 << 20);
  EXPECT_LT(status("to/sparse").st_blocks * 512, 1 << 20);
  const std::string copied = text("sparse");
  EXPECT_EQ(copied.substr(0, 5), "begin");
  EXPECT_EQ(copied.substr(32 << 20, 6), "middle");
}

TEST_F(TreeCopy, attributes_devices_and_pipes_come_along) {
  if (geteuid() != 0) GTEST_SKIP() << "devices need root";
  const auto file = (directory / "from/dir/a").native();
  // cap_net_raw+ep, as the kernel writes it.
  const unsigned char capability[20] = {1, 0, 0, 2, 0, 0x20};
  ASSERT_EQ(setxattr(file.c_str(), "security.capability", capability, sizeof capability, 0), 0);
  if (setxattr(file.c_str(), "user.note", "hello", 5, 0) != 0) GTEST_SKIP() << "no user attributes here";
  ASSERT_EQ(mknod((directory / "from/dir/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_EQ(chmod((directory / "from/dir/null").c_str(), 0666), 0);
  ASSERT_EQ(mkfifo((directory / "from/dir/pipe").c_str(), 0600), 0);
  EXPECT_EQ(copy(op({"/dir"}, "/all")), "");
  char value[64];
  const auto copied = (directory / "to/all/a").native();
  EXPECT_EQ(getxattr(copied.c_str(), "security.capability", value, sizeof value), 20);
  EXPECT_EQ(getxattr(copied.c_str(), "user.note", value, sizeof value), 5);
  EXPECT_TRUE(S_ISCHR(status("to/all/null").st_mode));
  EXPECT_EQ(status("to/all/null").st_rdev, makedev(1, 3));
  EXPECT_EQ(status("to/all/null").st_mode & 0777U, 0666U);
  EXPECT_TRUE(S_ISFIFO(status("to/all/pipe").st_mode));
}

TEST_F(TreeCopy, what_is_missing_is_said_with_what_is_there) {
  EXPECT_EQ(copy(op({"/dir/aa"}, "/x")),
            "COPY: \"/dir/aa\" is not in the target's file system\nhint: did you mean \"a\"?");
  graph::CopyOp perhaps = op({"/nowhere"}, "/x");
  perhaps.if_exists = true;
  EXPECT_EQ(copy(perhaps), "");
  EXPECT_FALSE(fs::exists(directory / "to/x"));
}

TEST_F(TreeCopy, links_of_the_target_lead_nowhere_else) {
  directory.file("outside/precious", "mine");
  fs::create_symlink(directory / "outside", directory / "to/trap");
  EXPECT_EQ(copy(op({"/dir/a"}, "/trap/precious")), "");
  EXPECT_EQ(test::slurp(directory / "outside/precious"), "mine");
}

TEST_F(TreeCopy, a_cancel_ends_it) {
  sys::CancelSource source;
  source.cancel();
  auto done = copy_from_tree("COPY", op({"/dir"}, "/x"), *sys::RootedDir::open(directory / "from"),
                             *sys::RootedDir::open(directory / "to"), nullptr, source.token());
  EXPECT_EQ(done.error().kind, ErrorKind::canceled);
}

TEST_F(TreeCopy, what_it_takes_is_compared_and_nothing_else) {
  remember();
  directory.file("from/other", "changed");
  const auto set_time = [&](std::int64_t seconds) {
    const timespec times[2] = {{seconds, 5}, {seconds, 5}};
    ASSERT_EQ(utimensat(AT_FDCWD, (directory / "from/dir/a").c_str(), times, 0), 0);
  };
  set_time(1000);
  EXPECT_TRUE(takes_the_same(op({"/dir"}, "/x"))) << "neither another file nor a time that the copy does not have";
  graph::CopyOp keep = op({"/dir"}, "/x");
  keep.keep_ts = true;
  EXPECT_FALSE(takes_the_same(keep));
  remember();
  EXPECT_TRUE(takes_the_same(keep));
  keep.keep_ts = false;
  keep.keep_own = true;
  ASSERT_EQ(chown((directory / "from/dir/a").c_str(), 7, 7), 0);
  EXPECT_FALSE(takes_the_same(keep));
  EXPECT_TRUE(takes_the_same(op({"/dir"}, "/x"))) << "the owner does not come along";
}

TEST_F(TreeCopy, what_it_takes_differs_by_content_names_links_modes_and_attributes) {
  const auto differs = [&](const graph::CopyOp& what, const std::function<void()>& change) {
    remember();
    EXPECT_TRUE(takes_the_same(what));
    change();
    return !takes_the_same(what);
  };
  const auto dir = op({"/dir"}, "/x");
  EXPECT_TRUE(differs(dir, [&] { directory.file("from/dir/a", "two"); })) << "of the same length";
  EXPECT_TRUE(differs(op({"/link"}, "/x"), [&] { directory.file("from/dir/a", "changed"); })) << "where a link leads";
  EXPECT_TRUE(differs(dir, [&] { fs::rename(directory / "from/dir/sub/b", directory / "from/dir/sub/c"); }));
  EXPECT_TRUE(differs(dir, [&] { fs::permissions(directory / "from/dir/a", fs::perms::owner_all); }));
  EXPECT_TRUE(differs(dir, [&] { directory.file("from/dir/sub/more", ""); }));
  EXPECT_TRUE(differs(dir, [&] { fs::create_symlink("a", directory / "from/dir/to"); }));
  EXPECT_TRUE(differs(dir, [&] {
    fs::remove(directory / "from/dir/to");
    fs::create_symlink("sub", directory / "from/dir/to");
  }));
  EXPECT_TRUE(
      differs(dir, [&] { ASSERT_EQ(setxattr((directory / "from/dir/a").c_str(), "trusted.note", "x", 1, 0), 0); }));
  EXPECT_TRUE(differs(op({"/dir/*"}, "/x/", true), [&] { directory.file("from/dir/new", ""); }))
      << "a pattern's matches";
}

}  // namespace
}  // namespace ingot::store
