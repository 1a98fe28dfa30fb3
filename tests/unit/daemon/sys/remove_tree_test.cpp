#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/sys/files.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::TempDirectory;

TEST(RemoveTree, WhatIsNotThereIsNoError) {
  const TempDirectory directory;
  EXPECT_TRUE(remove_tree(directory / "nothing"));
  EXPECT_TRUE(remove_tree(directory / "no/such/parent"));
  EXPECT_TRUE(remove_tree(directory / "nothing/"));
}

TEST(RemoveTree, RemovesFilesAndTrees) {
  const TempDirectory directory;
  directory.file("file", "x");
  for (int i = 0; i < 200; ++i) directory.file("tree/" + std::to_string(i) + "/deep/file", "x");
  ASSERT_EQ(mkfifo((directory / "tree/fifo").c_str(), 0600), 0);
  EXPECT_TRUE(remove_tree(directory / "file"));
  EXPECT_TRUE(remove_tree(directory / "tree/"));
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(RemoveTree, RemovesLinksAndNotTheirTargets) {
  const TempDirectory directory;
  directory.file("kept/file", "x");
  ASSERT_TRUE(make_directories(directory / "tree"));
  fs::create_symlink("../kept", directory / "tree/relative");
  fs::create_symlink(directory / "kept", directory / "tree/absolute");
  fs::create_symlink(directory / "kept", directory / "link");
  EXPECT_TRUE(remove_tree(directory / "tree"));
  EXPECT_TRUE(remove_tree(directory / "link"));
  EXPECT_FALSE(fs::exists(directory / "link"));
  EXPECT_TRUE(fs::exists(directory / "kept/file"));
}

TEST(RemoveTree, NoModeStopsIt) {
  const TempDirectory directory;
  directory.file("tree/a/b/file", "x");
  ASSERT_EQ(chmod((directory / "tree/a/b").c_str(), 0), 0);
  ASSERT_EQ(chmod((directory / "tree/a").c_str(), 0), 0);
  ASSERT_EQ(chmod((directory / "tree").c_str(), 0500), 0);
  EXPECT_TRUE(remove_tree(directory / "tree"));
  EXPECT_FALSE(fs::exists(directory / "tree"));
}

// Deeper than the longest path, than the descriptors that a process may have, and than a stack that recurses.
TEST(RemoveTree, NoDepthStopsIt) {
  const TempDirectory directory;
  ASSERT_TRUE(make_directories(directory / "tree"));
  auto at = open_file(directory / "tree", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(at);
  constexpr int kDepth = 3000;
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(mkdirat(at->get(), "a directory", i % 7 == 0 ? 0700 : 0755), 0);
    close(openat(at->get(), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    UniqueFd below(openat(at->get(), "a directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(below);
    if (i % 5 == 0) fchmod(at->get(), 0500);
    *at = std::move(below);
  }
  at->reset();
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const rlimit few{100, files.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  auto removed = remove_tree(directory / "tree");
  setrlimit(RLIMIT_NOFILE, &files);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(RemoveTree, NamesThatMovingUpWouldTakeAreNoTrouble) {
  const TempDirectory directory;
  fs::path deep = directory / "tree";
  for (int i = 0; i < 70; ++i) deep /= "d";
  fs::create_directories(deep);
  directory.file("tree/.removed-0/file", "x");
  directory.file("tree/.removed-1", "x");
  EXPECT_TRUE(remove_tree(directory / "tree"));
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(RemoveTree, RefusesWhatIsNoTreeOfAnybodys) {
  const TempDirectory directory;  // "." and ".." stay harmless should they not be refused
  ASSERT_TRUE(make_directories(directory / "inner"));
  const auto before = fs::current_path();
  fs::current_path(directory / "inner");
  for (const char* path : {"", "/", ".", "..", "/no/such/..", "///"}) {
    auto removed = remove_tree(path);
    ASSERT_FALSE(removed) << path;
    EXPECT_EQ(removed.error().message, "\"" + std::string(path) + "\" names no tree that may be removed");
  }
  fs::current_path(before);
}

TEST(RemoveTree, StopsAtAMountPoint) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const TempDirectory directory;
  directory.file("kept/file", "x");
  ASSERT_TRUE(make_directories(directory / "tree/sub/mounted"));
  const auto target = directory / "tree/sub/mounted";
  if (mount((directory / "kept").c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  auto removed = remove_tree(directory / "tree");
  auto itself = remove_tree(target);
  EXPECT_EQ(umount2(target.c_str(), 0), 0);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(removed.error().message, "cannot remove " + target.string() + ": something is mounted there");
  EXPECT_EQ(removed.error().hint, "unmount it first");
  EXPECT_FALSE(itself);
  EXPECT_TRUE(fs::exists(directory / "kept/file"));
  EXPECT_TRUE(remove_tree(directory / "tree"));
}

void set_flags(const fs::path& path, int flags) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  if (ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) != 0) GTEST_SKIP() << "no immutable files here";
}

TEST(RemoveTree, RemovesWhatIsImmutable) {
  if (geteuid() != 0) GTEST_SKIP() << "setting a file immutable needs root";
  const TempDirectory directory;
  directory.file("tree/one/file", "x");
  directory.file("tree/two/file", "x");
  set_flags(directory / "tree/one/file", FS_IMMUTABLE_FL);
  if (IsSkipped()) return;
  set_flags(directory / "tree/two", FS_APPEND_FL);
  set_flags(directory / "tree", FS_IMMUTABLE_FL);
  EXPECT_TRUE(remove_tree(directory / "tree"));
  EXPECT_FALSE(fs::exists(directory / "tree"));
}

TEST(RemoveTree, NamesWhatCannotBeRemoved) {
  if (geteuid() == 0) GTEST_SKIP() << "no mode denies anything to root";
  const TempDirectory directory;
  directory.file("holder/tree/file", "x");
  ASSERT_EQ(chmod((directory / "holder").c_str(), 0500), 0);
  auto removed = remove_tree(directory / "holder/tree");
  ASSERT_EQ(chmod((directory / "holder").c_str(), 0700), 0);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::denied);
  EXPECT_EQ(removed.error().message, "cannot remove " + (directory / "holder/tree").string() + ": Permission denied");
}

}  // namespace
}  // namespace ingot::sys
