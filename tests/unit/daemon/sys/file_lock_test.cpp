#include "daemon/sys/file_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

TEST(FileLock, HasOneOwnerAtATime) {
  const test::TempDirectory directory;
  const auto path = directory / "lock";
  std::optional<FileLock> lock;
  {
    auto first = FileLock::acquire(path);
    ASSERT_TRUE(first);
    lock.emplace(std::move(*first));
  }
  auto second = FileLock::acquire(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_EQ(second.error().message, path.string() + " is locked by process " + std::to_string(getpid()));
  lock.reset();
  EXPECT_TRUE(FileLock::acquire(path));
}

TEST(FileLock, TakesALockThatWasLeftBehind) {
  const test::TempDirectory directory;
  const auto path = directory.file("lock", "4194304999999999999999\n");
  EXPECT_TRUE(FileLock::acquire(path));
  EXPECT_EQ(test::slurp(path), std::to_string(getpid()) + "\n");
}

TEST(FileLock, NamesAFileThatItCannotMake) {
  auto lock = FileLock::acquire("/no/such/lock");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().message, "cannot open /no/such/lock: No such file or directory");
}

}  // namespace
}  // namespace ingot::sys
