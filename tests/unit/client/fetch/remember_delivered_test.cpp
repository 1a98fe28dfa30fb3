#include "client/fetch/remember_delivered.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "client/context/hash_cache.h"
#include "daemon/base/digest.h"
#include "daemon/sys/files.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

class RememberDeliveredTest : public testing::Test {
 protected:
  void SetUp() override { setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1); }
  void TearDown() override { unsetenv("XDG_CACHE_HOME"); }
  sys::UniqueFd deliver(std::uint64_t size) const {
    auto fd = *sys::open_file(directory / "f", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    RememberDelivered remember(fd.get());
    before_it_has_its_name(fd.get());
    remember.landed(digest);
    return fd;
  }
  std::optional<std::string> known() const {
    struct stat status {};
    EXPECT_EQ(stat((directory / "f").c_str(), &status), 0);
    return HashCache(HashCache::default_file()).find(status);
  }
  std::function<void(int)> before_it_has_its_name = [](int) {};
  test::TempDirectory directory;
  const std::string digest = base::Digest::of("what it is said to have").str();
};

TEST_F(RememberDeliveredTest, a_large_file_need_not_be_read_again) {
  const auto fd = deliver(65U << 20);
  EXPECT_EQ(known(), digest);
  ASSERT_EQ(pwrite(fd.get(), "x", 1, 0), 1);
  EXPECT_EQ(known(), std::nullopt) << "it has changed since";
}

TEST_F(RememberDeliveredTest, one_that_somebody_wrote_to_meanwhile_is_not_what_was_fetched) {
  before_it_has_its_name = [](int fd) { ASSERT_EQ(pwrite(fd, "x", 1, 0), 1); };
  (void)deliver(65U << 20);
  EXPECT_EQ(known(), std::nullopt);
}

TEST_F(RememberDeliveredTest, a_small_one_is_read_as_fast) {
  (void)deliver(1U << 20);
  EXPECT_FALSE(std::filesystem::exists(HashCache::default_file()));
}

}  // namespace
}  // namespace ingot::client
