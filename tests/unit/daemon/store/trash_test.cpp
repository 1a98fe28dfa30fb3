#include "daemon/store/trash.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

TEST(Trash, takes_at_once_and_removes_later) {
  test::TempDirectory directory;
  auto trash = *Trash::open(directory / "trash");
  for (int i = 0; i < 300; ++i) directory.file("tree/d" + std::to_string(i % 7) + "/e/f/g/" + std::to_string(i), "x");
  ASSERT_TRUE(trash->take(directory / "tree"));
  EXPECT_FALSE(fs::exists(directory / "tree"));
  trash->empty_now();
  EXPECT_TRUE(fs::is_empty(directory / "trash"));
  ASSERT_TRUE(trash->take(directory / "never was")) << "no error";
}

TEST(Trash, what_an_earlier_process_left_is_removed_and_an_end_does_not_wait) {
  test::TempDirectory directory;
  for (int i = 0; i < 300; ++i) directory.file("trash/old/" + std::to_string(i), "x");
  const auto started = std::chrono::steady_clock::now();
  { auto trash = *Trash::open(directory / "trash"); }
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(2));
  EXPECT_TRUE(fs::exists(directory / "trash/old")) << "it was not in a hurry";
  auto trash = *Trash::open(directory / "trash");
  trash->empty_now();
  EXPECT_TRUE(fs::is_empty(directory / "trash"));
}

TEST(Trash, links_are_removed_and_not_followed) {
  test::TempDirectory directory;
  directory.file("outside/precious", "x");
  fs::create_directories(directory / "tree/d");
  fs::create_directory_symlink(directory / "outside", directory / "tree/d/link");
  auto trash = *Trash::open(directory / "trash");
  ASSERT_TRUE(trash->take(directory / "tree"));
  trash->empty_now();
  EXPECT_TRUE(fs::is_empty(directory / "trash"));
  EXPECT_TRUE(fs::exists(directory / "outside/precious"));
}

TEST(Trash, what_is_mounted_in_a_tree_stays_untouched) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  test::TempDirectory directory;
  directory.file("outside/precious", "x");
  fs::create_directories(directory / "tree/d/m");
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    GTEST_SKIP() << "no mount namespace of our own here";
  }
  ASSERT_EQ(mount((directory / "outside").c_str(), (directory / "tree/d/m").c_str(), nullptr, MS_BIND, nullptr), 0);
  auto trash = *Trash::open(directory / "trash");
  ASSERT_TRUE(trash->take(directory / "tree"));
  trash->empty_now();
  EXPECT_TRUE(fs::exists(directory / "outside/precious"));
  for (const auto& tree : fs::directory_iterator(directory / "trash")) {
    EXPECT_EQ(umount2((tree.path() / "d/m").c_str(), MNT_DETACH), 0);
  }
}

}  // namespace
}  // namespace ingot::store
