#include "daemon/store/tree_digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

namespace fs = std::filesystem;

class TreeDigest : public testing::Test {
 protected:
  // The same small tree under another name.
  void make(const std::string& name) {
    directory.file(name + "/a/one", "1");
    directory.file(name + "/a/two", "2");
    fs::create_symlink("one", directory / (name + "/a/link"));
    fs::create_directories(directory / (name + "/empty"));
  }
  base::Digest digest(const std::string& name, const TreeDigestOptions& options = {}) {
    auto made = tree_digest(*sys::RootedDir::open(directory / name), {"/"}, options);
    EXPECT_TRUE(made) << proto::render(made.error());
    return *made;
  }
  test::TempDirectory directory;
};

TEST_F(TreeDigest, equal_trees_are_equal_wherever_and_whenever_they_were_made) {
  make("x");
  make("y");
  const timespec times[2] = {{5, 0}, {5, 0}};
  utimensat(AT_FDCWD, (directory / "y/a/one").c_str(), times, 0);
  EXPECT_EQ(digest("x"), digest("y"));
  TreeDigestOptions with_times;
  with_times.times = true;
  EXPECT_NE(digest("x", with_times), digest("y", with_times));
}

TEST_F(TreeDigest, everything_that_a_step_could_see_counts) {
  make("x");
  const auto before = digest("x");
  const auto differs = [&](const std::string& what) {
    EXPECT_NE(digest("x"), before) << what;
    fs::remove_all(directory / "x");
    make("x");
    ASSERT_EQ(digest("x"), before);
  };
  directory.file("x/a/one", "3");
  differs("content");
  fs::rename(directory / "x/a/one", directory / "x/a/three");
  differs("a name");
  chmod((directory / "x/a/one").c_str(), 0755);
  differs("a mode");
  fs::remove(directory / "x/a/link");
  fs::create_symlink("two", directory / "x/a/link");
  differs("where a link leads");
  fs::remove(directory / "x/empty");
  differs("an empty directory");
  fs::rename(directory / "x/a/two", directory / "x/empty/two");
  differs("the directory that a file is in");
  if (setxattr((directory / "x/a/one").c_str(), "user.note", "x", 1, 0) == 0) differs("an attribute");
  if (geteuid() != 0) return;
  ASSERT_EQ(chown((directory / "x/a/one").c_str(), 1, 1), 0);
  differs("an owner");
}

TEST_F(TreeDigest, what_overlayfs_notes_of_a_copy_does_not_count) {
  if (geteuid() != 0) GTEST_SKIP() << "these attributes need root";
  make("x");
  const auto before = digest("x");
  ASSERT_EQ(setxattr((directory / "x/a").c_str(), "trusted.overlay.origin", "here", 4, 0), 0);
  EXPECT_EQ(digest("x"), before);
  ASSERT_EQ(setxattr((directory / "x/a").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  EXPECT_NE(digest("x"), before) << "this one hides what is below";
}

TEST_F(TreeDigest, sizes_count_a_file_with_two_names_once) {
  directory.file("x/a", std::string(100'000, 'x'));
  fs::create_hard_link(directory / "x/a", directory / "x/b");
  const auto size = *tree_size(directory / "x");
  EXPECT_EQ(size.entries, 2U);
  EXPECT_GE(size.bytes, 100'000U);
  EXPECT_LT(size.bytes, 150'000U);
}

}  // namespace
}  // namespace ingot::store
