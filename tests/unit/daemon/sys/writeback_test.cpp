#include "daemon/sys/writeback.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

constexpr long kExt4 = 0xef53;

// Whether the file system has yet to find places for some of the file. Nothing when it does not say.
std::optional<bool> waits_for_places(int fd) {
  constexpr unsigned kMost = 64;
  std::vector<char> bytes(sizeof(fiemap) + kMost * sizeof(fiemap_extent));
  auto* map = reinterpret_cast<fiemap*>(bytes.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_extent_count = kMost;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) return std::nullopt;
  for (unsigned i = 0; i < map->fm_mapped_extents; ++i) {
    if ((map->fm_extents[i].fe_flags & FIEMAP_EXTENT_DELALLOC) != 0) return true;
  }
  return false;
}

TEST(Writeback, what_is_written_while_it_lives_gets_its_places_on_the_disk) {
  test::TempDirectory directory;
  struct statfs status {};
  ASSERT_EQ(statfs(directory.path().c_str(), &status), 0);
  auto fd = *open_file(directory / "x", O_RDWR | O_CREAT);
  ASSERT_TRUE(write_all(fd.get(), std::string(4 << 20, 'x')));
  if (status.f_type != kExt4 || waits_for_places(fd.get()) != std::optional(true)) {
    GTEST_SKIP() << "this file system finds places at once, or does not tell";
  }
  const WritebackBeside writeback(fd.get());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto wait = [&] {
    while (waits_for_places(fd.get()) == std::optional(true) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return waits_for_places(fd.get());
  };
  EXPECT_EQ(wait(), std::optional(false));
  ASSERT_TRUE(write_all(fd.get(), std::string(4 << 20, 'y')));
  EXPECT_EQ(wait(), std::optional(false)) << "what comes later, too";
}

}  // namespace
}  // namespace ingot::sys
