#include "daemon/sys/mounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::slurp;
using test::TempDirectory;

// In a mount namespace of the test's own, so that even a test that crashes leaves no mount behind.
class Mounts : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    static const bool own = enter_private_mount_namespace().has_value();
    if (!own) GTEST_SKIP() << "this environment allows no mount namespaces";
    directory_.emplace();
    for (const char* name : {"upper", "work", "target"}) fs::create_directories(*directory_ / name);
    if (!mount({layer("probe-1"), layer("probe-2")}, false))
      GTEST_SKIP() << "the temporary directory cannot hold an overlay";
  }
  fs::path layer(const std::string& name, const std::string& file = {}, const std::string& text = {}) const {
    fs::path path = *directory_ / "layers" / name;
    fs::create_directories(path);
    if (!file.empty()) directory_->file("layers/" + name + "/" + file, text);
    return path;
  }
  Result<Mount> mount(const std::vector<fs::path>& lower, bool writable) const {
    return mount_overlay(lower, writable ? upper() : fs::path(), writable ? *directory_ / "work" : fs::path(), target(),
                         *directory_ / "layers");
  }
  fs::path upper() const { return *directory_ / "upper"; }
  fs::path target() const { return *directory_ / "target"; }
  bool mounted() const { return slurp("/proc/self/mountinfo").find(target().string() + " ") != std::string::npos; }

  std::optional<TempDirectory> directory_;
};

TEST_F(Mounts, LaterLayersCoverEarlierOnes) {
  layer("one", "same", "one");
  layer("one", "only-one", "1");
  layer("two", "same", "two");
  auto merged = mount({layer("one"), layer("two")}, false);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(merged->path(), target());
  EXPECT_EQ(slurp(target() / "same"), "two");
  EXPECT_EQ(slurp(target() / "only-one"), "1");
  EXPECT_EQ(open((target() / "new").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), -1);
  EXPECT_EQ(errno, EROFS);
}

TEST_F(Mounts, WritesGoToTheUpperDirectory) {
  layer("one", "file", "old");
  {
    auto merged = mount({layer("one")}, true);
    ASSERT_TRUE(merged) << merged.error().message;
    directory_->file("target/file", "new");
    directory_->file("target/made", "text");
    EXPECT_TRUE(mounted());
  }
  EXPECT_FALSE(mounted());
  EXPECT_EQ(slurp(*directory_ / "layers/one/file"), "old");
  EXPECT_EQ(slurp(upper() / "file"), "new");
  EXPECT_EQ(slurp(upper() / "made"), "text");
}

TEST_F(Mounts, OneLayerAloneIsReadOnly) {
  layer("one", "file", "text");
  auto shown = mount({layer("one")}, false);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(slurp(target() / "file"), "text");
  EXPECT_EQ(open((target() / "file").c_str(), O_WRONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, EROFS);
  const UniqueFd below(open((layer("one") / "file").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(below) << "the layer itself stays as it was";
}

TEST_F(Mounts, AnUpperDirectoryAloneIsWritable) {
  {
    auto shown = mount({}, true);
    ASSERT_TRUE(shown) << shown.error().message;
    directory_->file("target/file", "text");
  }
  EXPECT_EQ(slurp(upper() / "file"), "text");
}

TEST_F(Mounts, NoLayerAtAllIsADefect) {
  auto none = mount({}, false);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::internal);
}

TEST_F(Mounts, NamesMayHoldWhatOptionsAreMadeOf) {
  const auto odd = layer("a:b,c\\d e", "file", "odd");
  directory_->file("odd:upper,dir\\/x", "");
  fs::create_directories(*directory_ / "odd:work,dir\\");
  fs::create_directories(*directory_ / "odd:target,dir\\");
  auto merged = mount_overlay({layer("one"), odd}, *directory_ / "odd:upper,dir\\", *directory_ / "odd:work,dir\\",
                              *directory_ / "odd:target,dir\\", *directory_ / "layers");
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(slurp(merged->path() / "file"), "odd");
}

TEST_F(Mounts, StacksThreeHundredLayers) {
  std::vector<fs::path> layers;
  layers.reserve(300);
  for (int i = 0; i < 300; ++i) layers.push_back(layer("l" + std::to_string(i), "file-" + std::to_string(i), "x"));
  layer("l299", "top", "299");
  layer("l0", "top", "0");
  auto merged = mount(layers, true);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(slurp(target() / "top"), "299");
  EXPECT_EQ(slurp(target() / "file-0"), "x");
  EXPECT_EQ(std::distance(fs::directory_iterator(target()), {}), 301);
}

TEST_F(Mounts, TooManyLayersAreSaidSo) {
  std::vector<fs::path> layers;
  layers.reserve(60);
  for (int i = 0; i < 60; ++i) layers.push_back(layer(std::string(80, 'n') + std::to_string(i)));
  auto merged = mount(layers, false);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(merged.error().message,
            "60 layers are too many to mount: overlayfs takes 500, and their names take 5018 bytes of 4095");
  EXPECT_EQ(merged.error().hint, "join some RUN and COPY commands of this target");
  EXPECT_FALSE(mounted());
}

TEST_F(Mounts, MountingLeavesTheWorkingDirectoryAlone) {
  const auto before = fs::current_path();
  fs::current_path("/");
  auto merged = mount({layer("one"), layer("two")}, false);
  EXPECT_EQ(fs::current_path(), "/");
  fs::current_path(before);
  EXPECT_TRUE(merged);
}

TEST_F(Mounts, RelativePathsAreMeantFromTheWorkingDirectory) {
  layer("one", "file", "text");
  layer("two");
  const auto before = fs::current_path();
  fs::current_path(directory_->path());
  auto merged = mount_overlay({"layers/one", "layers/two"}, "upper", "work", "target", "layers");
  fs::current_path(before);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(slurp(target() / "file"), "text");
}

TEST_F(Mounts, WhatIsMissingIsNamed) {
  fs::remove(target());
  auto merged = mount({layer("one"), layer("two")}, false);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().message,
            "cannot mount an overlay of 2 layers at " + target().string() + ": No such file or directory");
  auto bound = mount({layer("one")}, false);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().message,
            "cannot bind " + layer("one").string() + " to " + target().string() + ": No such file or directory");
}

TEST_F(Mounts, ABusyMountGoesWhenItsUserLetsGo) {
  auto merged = mount({layer("one", "file", "text"), layer("two")}, false);
  ASSERT_TRUE(merged);
  const UniqueFd user(open((target() / "file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(merged->unmount());
  EXPECT_FALSE(mounted());
  EXPECT_TRUE(merged->unmount()) << "twice is once";
}

TEST_F(Mounts, MovingKeepsItMounted) {
  auto merged = mount({layer("one"), layer("two")}, false);
  ASSERT_TRUE(merged);
  {
    const Mount moved = std::move(*merged);
    EXPECT_TRUE(mounted());
  }
  EXPECT_FALSE(mounted());
}

// A layer is exported and stacked elsewhere: no rename may leave a pointer into this stack.
TEST_F(Mounts, RenamedDirectoriesLeaveNoRedirect) {
  layer("one", "directory/file", "text");
  layer("two");
  auto merged = mount({layer("one"), layer("two")}, true);
  ASSERT_TRUE(merged);
  EXPECT_EQ(std::rename((target() / "directory").c_str(), (target() / "renamed").c_str()), -1);
  EXPECT_EQ(errno, EXDEV);
}

}  // namespace
}  // namespace ingot::sys
