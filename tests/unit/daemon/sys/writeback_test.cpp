#include "daemon/sys/writeback.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

constexpr long kExt4 = 0xef53;

// Whether the file system has yet to find places for some of the file's first bytes. Nothing when it does not say.
std::optional<bool> waits_for_places(int fd, std::uint64_t bytes) {
  constexpr unsigned kMost = 64;
  std::vector<char> answer(sizeof(fiemap) + kMost * sizeof(fiemap_extent));
  auto* map = reinterpret_cast<fiemap*>(answer.data());
  map->fm_length = bytes;
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
  if (status.f_type != kExt4 || waits_for_places(fd.get(), 4 << 20) != std::optional(true)) {
    GTEST_SKIP() << "this file system finds places at once, or does not tell";
  }
  const WritebackBeside writeback(fd.get());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto wait = [&](std::uint64_t bytes) {
    while (waits_for_places(fd.get(), bytes) == std::optional(true) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return waits_for_places(fd.get(), bytes);
  };
  EXPECT_EQ(wait(4 << 20), std::optional(false));
  ASSERT_TRUE(write_all(fd.get(), std::string(32 << 20, 'y')));
  EXPECT_EQ(wait(24 << 20), std::optional(false)) << "what comes later, too, but for a last piece that is not worth it";
}

}  // namespace
}  // namespace ingot::sys
