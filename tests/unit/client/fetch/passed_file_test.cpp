#include "client/fetch/passed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "daemon/base/checksum.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

class PassedFile : public testing::Test {
 protected:
  Result<std::string> copy(const std::string& text) {
    directory.file("from", text);
    auto from = sys::open_file(directory / "from", O_RDONLY);
    auto to = sys::open_file(directory / "to", O_RDWR | O_CREAT | O_TRUNC);
    told = 0;
    return copy_passed_file(from->get(), to->get(), [this](std::uint64_t bytes) { told += bytes; });
  }
  static std::string checksum(const std::string& text) {
    base::Checksum checksum;
    checksum.update(text);
    return checksum.finish();
  }
  test::TempDirectory directory;
  std::uint64_t told = 0;
};

TEST_F(PassedFile, is_copied_and_summed_up) {
  for (const std::size_t size : {0UL, 1UL, 131'072UL, 30'000'001UL}) {
    std::string text(size, 'x');
    if (size > 1) text[size / 2] = 'y';
    auto sum = copy(text);
    ASSERT_TRUE(sum);
    EXPECT_EQ(*sum, checksum(text)) << size;
    EXPECT_TRUE(test::slurp(directory / "to") == text) << size;
    EXPECT_EQ(told, size);
  }
}

TEST_F(PassedFile, a_full_disk_is_an_error_and_no_wait) {
  directory.file("from", "text");
  auto from = sys::open_file(directory / "from", O_RDONLY);
  auto full = sys::open_file("/dev/full", O_RDWR);
  auto sum = copy_passed_file(from->get(), full->get(), [](std::uint64_t) {});
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().kind, ErrorKind::no_space);
}

}  // namespace
}  // namespace ingot::client
