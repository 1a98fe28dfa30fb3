#include "daemon/store/layer_links.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/store/tree_copy.h"
#include "daemon/sys/mounts.h"
#include "tests/support/temp.h"

// Copies between directories that stand for layers, and between mounted stacks.
namespace ingot::store {
namespace {

class LayerLinksTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "a file of another owner is linked by root only";
    directory.file("from/dir/a", "one");
    directory.file("from/dir/sub/b", "two");
    fs::create_directories(directory / "to");
    fs::create_directories(directory / "work");
    fs::create_directories(directory / "merged");
  }
  static graph::CopyOp op(std::vector<std::string> sources, const std::string& destination) {
    graph::CopyOp made;
    made.from = 0;
    made.sources = std::move(sources);
    made.destination = destination;
    made.keep_ts = true;
    made.keep_own = true;
    return made;
  }
  // Into `to`, which is the writable layer of a stack on `below`, or all of it.
  void copy(const graph::CopyOp& what, const std::vector<fs::path>& below = {}) {
    auto mount =
        sys::mount_overlay(below, directory / "to", directory / "work", directory / "merged", directory.path());
    ASSERT_TRUE(mount) << mount.error().message;
    auto links = LayerLinks::open({directory / "from"}, mount->path(), directory / "to");
    ASSERT_TRUE(links) << links.error().message;
    {
      auto done = copy_from_tree("COPY", what, *sys::RootedDir::open(directory / "from"),
                                 *sys::RootedDir::open(mount->path()), &*links, {});
      ASSERT_TRUE(done) << proto::render(done.error());
    }
    ASSERT_TRUE(mount->unmount());
    auto made = links->make();
    ASSERT_TRUE(made) << proto::render(made.error());
  }
  struct stat status(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(lstat((directory / path).c_str(), &result), 0) << path;
    return result;
  }
  std::string text(const std::string& path) { return test::slurp(directory / path); }
  bool same_file(const std::string& one, const std::string& other) {
    return status(one).st_ino == status(other).st_ino;
  }
  test::TempDirectory directory;
};

TEST_F(LayerLinksTest, a_file_that_stays_as_it_is_is_one_more_name_of_it) {
  copy(op({"/dir"}, "/new"));
  EXPECT_TRUE(same_file("to/new/a", "from/dir/a"));
  EXPECT_TRUE(same_file("to/new/sub/b", "from/dir/sub/b"));
  EXPECT_EQ(status("to/new/sub").st_mtim.tv_nsec, status("from/dir/sub").st_mtim.tv_nsec);
  EXPECT_EQ(text("to/new/sub/b"), "two");
}

TEST_F(LayerLinksTest, one_whose_time_owner_or_mode_changes_is_copied) {
  auto what = op({"/dir/a"}, "/timed");
  what.keep_ts = false;
  copy(what);
  what = op({"/dir/a"}, "/owned");
  what.keep_own = false;
  what.chown = "7:7";
  copy(what);
  what = op({"/dir/a"}, "/changed");
  what.chmod = 0600;
  copy(what);
  for (const char* name : {"to/timed", "to/owned", "to/changed"}) {
    EXPECT_FALSE(same_file(name, "from/dir/a")) << name;
    EXPECT_EQ(text(name), "one") << name;
  }
}

TEST_F(LayerLinksTest, it_takes_the_place_of_what_a_lower_layer_has) {
  directory.file("below/dir/a", "before");
  copy(op({"/dir/a"}, "/dir/a"), {directory / "below"});
  EXPECT_EQ(text("below/dir/a"), "before");
  EXPECT_EQ(text("to/dir/a"), "one");
}

TEST_F(LayerLinksTest, of_several_with_one_name_the_last_stays) {
  directory.file("from/other/a", "other");
  copy(op({"/dir/a", "/other/a"}, "/into/"));
  EXPECT_EQ(text("to/into/a"), "other");
}

TEST_F(LayerLinksTest, what_another_layer_hides_is_not_taken_for_what_is_shown) {
  directory.file("hidden/dir/a", "hidden");
  auto links = LayerLinks::open({directory / "from", directory / "hidden"}, directory / "to", directory / "to");
  ASSERT_TRUE(links);
  auto holder = sys::RootedDir::open(directory / "to");
  EXPECT_FALSE(links->note("/dir/a", status("from/dir/a"), holder->fd(), "a"));
  EXPECT_TRUE(links->note("/dir/a", status("hidden/dir/a"), holder->fd(), "a"));
  EXPECT_FALSE(links->note("/none", status("hidden/dir/a"), holder->fd(), "a"));
}

TEST_F(LayerLinksTest, a_directory_that_the_writable_layer_has_not_takes_none) {
  fs::create_directories(directory / "elsewhere");
  auto links = LayerLinks::open({directory / "from"}, directory / "to", directory / "to");
  ASSERT_TRUE(links);
  auto holder = sys::RootedDir::open(directory / "elsewhere");
  EXPECT_FALSE(links->note("/dir/a", status("from/dir/a"), holder->fd(), "a"));
}

}  // namespace
}  // namespace ingot::store
