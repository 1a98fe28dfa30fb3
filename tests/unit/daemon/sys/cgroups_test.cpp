#include "daemon/sys/cgroups.h"

#include <gtest/gtest.h>

#include "daemon/sys/files.h"
#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using test::TempDirectory;
using Names = std::vector<std::string>;

constexpr const char* kOthers =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 master:3 - ext4 /dev/vda rw,discard\n";

// As on a host that boots with systemd.unified_cgroup_hierarchy=0 and without the unified one.
const std::string kV1 = std::string(kOthers) +
                        "31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
                        "32 31 0:29 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,xattr,name=systemd\n"
                        "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
                        "34 31 0:31 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory\n"
                        "35 31 0:32 / /sys/fs/cgroup/pids rw shared:12 - cgroup cgroup rw,pids\n";

const std::string kHybrid = kV1 + "36 31 0:33 / /sys/fs/cgroup/unified rw shared:13 - cgroup2 cgroup2 rw,nsdelegate\n";

// The hierarchy of v2 is at `mount_point`, whose files a test makes.
std::string v2(const std::string& mount_point) {
  return std::string(kOthers) + "30 23 0:26 / " + mount_point +
         " rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
}

TEST(Cgroups, KnowsTheLayoutOfV1) {
  const auto cgroups = Cgroups::parse(kV1).value();
  EXPECT_EQ(cgroups.layout(), CgroupLayout::v1);
  EXPECT_STREQ(cgroups.layout_name(), "v1");
  EXPECT_EQ(cgroups.controllers(), (Names{"memory", "cpu", "pids"}));
}

TEST(Cgroups, KnowsTheLayoutOfHybridHosts) {
  const auto cgroups = Cgroups::parse(kHybrid).value();
  EXPECT_EQ(cgroups.layout(), CgroupLayout::hybrid);
  EXPECT_STREQ(cgroups.layout_name(), "hybrid");
  EXPECT_EQ(cgroups.controllers(), (Names{"memory", "cpu", "pids"}));
}

TEST(Cgroups, KnowsTheLayoutOfV2AndAsksForItsControllers) {
  const TempDirectory directory;
  directory.file("cgroup.controllers", "cpuset cpu io memory hugetlb\n");
  const auto cgroups = Cgroups::parse(v2(directory.path().string())).value();
  EXPECT_EQ(cgroups.layout(), CgroupLayout::v2);
  EXPECT_STREQ(cgroups.layout_name(), "v2");
  EXPECT_EQ(cgroups.controllers(), (Names{"memory", "cpu"}));
}

// systemd keeps its own named hierarchy of v1 beside v2 on some hosts; it has no controllers.
TEST(Cgroups, ANamedHierarchyMakesNoHybrid) {
  const auto cgroups =
      Cgroups::parse(v2("/no/such") + "32 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n");
  EXPECT_EQ(cgroups->layout(), CgroupLayout::v2);
  EXPECT_EQ(cgroups->controllers(), Names{});
}

TEST(Cgroups, AHostWithoutThemIsSaidSo) {
  for (const std::string& text :
       {std::string(kOthers), std::string(), std::string("not a mount - at all\n - cgroup\n")}) {
    auto cgroups = Cgroups::parse(text);
    ASSERT_FALSE(cgroups);
    EXPECT_EQ(cgroups.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(cgroups.error().message, "no cgroup file system is mounted");
    EXPECT_EQ(cgroups.error().hint, "mount cgroup2 at /sys/fs/cgroup");
  }
}

TEST(Cgroups, DetectsThisHost) {
  auto cgroups = Cgroups::detect();
  if (!cgroups) GTEST_SKIP() << cgroups.error().message;
  EXPECT_NE(std::string(cgroups->layout_name()), "");
}

TEST(Cgroups, ReadsTheCountsOfV2) {
  const TempDirectory directory;
  directory.file("ingot/a/memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
  directory.file("ingot/a/memory.peak", "123456789\n");
  const auto cgroups = Cgroups::parse(v2(directory.path().string())).value();
  EXPECT_EQ(cgroups.oom_kills("/ingot/a"), 2U);
  EXPECT_EQ(cgroups.peak_memory("/ingot/a"), 123'456'789U);
  EXPECT_EQ(cgroups.peak_memory("ingot/a/"), 123'456'789U);
}

TEST(Cgroups, ReadsTheCountsOfV1WithThoseBelow) {
  const TempDirectory directory;
  directory.file("space here/ingot/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  directory.file("space here/ingot/a/below/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  directory.file("space here/ingot/a/memory.max_usage_in_bytes", "4096\n");
  const auto cgroups =
      Cgroups::parse("34 31 0:31 / " + directory.path().string() + "/space\\040here rw - cgroup cgroup rw,memory\n")
          .value();
  EXPECT_EQ(cgroups.oom_kills("/ingot/a"), 5U);
  EXPECT_EQ(cgroups.peak_memory("/ingot/a"), 4096U);
}

TEST(Cgroups, WhatIsNotThereIsNoError) {
  const TempDirectory directory;
  directory.file("ingot/odd/memory.events", "oom_kill many\n");
  directory.file("ingot/odd/memory.peak", "");
  const auto cgroups = Cgroups::parse(v2(directory.path().string())).value();
  for (const char* path : {"/ingot/odd", "/ingot/none", "/", "", "/..", "/../.."}) {
    EXPECT_EQ(cgroups.oom_kills(path), 0U) << path;
    EXPECT_EQ(cgroups.peak_memory(path), 0U) << path;
  }
  cgroups.kill_all("/ingot/none");
  EXPECT_TRUE(cgroups.remove("/ingot/none"));
}

TEST(Cgroups, RemovesWhatIsBelowFirst) {
  const TempDirectory directory;
  fs::create_directories(directory / "ingot/a/b/c");
  fs::create_directories(directory / "ingot/a/d");
  fs::create_directories(directory / "ingot/other");
  const auto cgroups = Cgroups::parse(v2(directory.path().string())).value();
  EXPECT_TRUE(cgroups.remove("/ingot/a"));
  EXPECT_FALSE(fs::exists(directory / "ingot/a"));
  EXPECT_TRUE(fs::exists(directory / "ingot/other"));
}

// The root of a hierarchy, by whatever name, is the host's.
TEST(Cgroups, NeverRemovesARoot) {
  const TempDirectory directory;
  fs::create_directories(directory / "mount/ingot");
  const auto cgroups = Cgroups::parse(v2((directory / "mount").string())).value();
  for (const char* path : {"", "/", "//", ".", "/..", "/ingot/..", "/ingot/../.."}) {
    EXPECT_TRUE(cgroups.remove(path));
    EXPECT_TRUE(fs::exists(directory / "mount/ingot")) << path;
  }
}

TEST(Cgroups, WhatCannotBeRemovedIsNamed) {
  const TempDirectory directory;
  directory.file("ingot/a/file", "");
  const auto cgroups = Cgroups::parse(v2(directory.path().string())).value();
  auto removed = cgroups.remove("/ingot/a");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message,
            "cannot remove cgroup " + (directory / "ingot/a").string() + ": Directory not empty");
}

}  // namespace
}  // namespace ingot::sys
