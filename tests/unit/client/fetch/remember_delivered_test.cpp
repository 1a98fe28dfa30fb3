#include "client/fetch/remember_delivered.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/context/hash_cache.h"
#include "daemon/base/digest.h"
#include "daemon/sys/files.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

class RememberDelivered : public testing::Test {
 protected:
  void SetUp() override { setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1); }
  void TearDown() override { unsetenv("XDG_CACHE_HOME"); }
  sys::UniqueFd deliver(std::uint64_t size) const {
    auto fd = *sys::open_file(directory / "f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    remember_delivered(fd.get(), digest);
    return fd;
  }
  std::optional<std::string> known() const {
    struct stat status {};
    EXPECT_EQ(stat((directory / "f").c_str(), &status), 0);
    return HashCache(HashCache::default_file()).find(status);
  }
  test::TempDirectory directory;
  const std::string digest = base::Digest::of("what it is said to have").str();
};

TEST_F(RememberDelivered, a_large_file_need_not_be_read_again) {
  const auto fd = deliver(65U << 20);
  EXPECT_EQ(known(), digest);
  ASSERT_EQ(pwrite(fd.get(), "x", 1, 0), 1);
  EXPECT_EQ(known(), std::nullopt) << "it has changed since";
}

TEST_F(RememberDelivered, a_small_one_is_read_as_fast) {
  (void)deliver(1U << 20);
  EXPECT_FALSE(std::filesystem::exists(HashCache::default_file()));
}

}  // namespace
}  // namespace ingot::client
