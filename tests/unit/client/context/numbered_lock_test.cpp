#include "client/context/numbered_lock.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/temp.h"

namespace ingot::client {
namespace {

using std::chrono::milliseconds;

TEST(NumberedLock, one_number_is_held_once_and_others_are_free) {
  test::TempDirectory directory;
  const auto file = directory / "cache/locks";
  auto held = NumberedLock::acquire(file, 7, milliseconds(0));
  ASSERT_TRUE(held);
  EXPECT_TRUE(NumberedLock::acquire(file, 8, milliseconds(0)));
  EXPECT_FALSE(NumberedLock::acquire(file, 7, milliseconds(0)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(NumberedLock::acquire(file, 7, milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(30));
  held.reset();
  EXPECT_TRUE(NumberedLock::acquire(file, 7, milliseconds(0)));
}

TEST(NumberedLock, who_waits_has_it_as_soon_as_it_is_free) {
  test::TempDirectory directory;
  auto held = NumberedLock::acquire(directory / "locks", 7, milliseconds(0));
  std::thread waits([&] { EXPECT_TRUE(NumberedLock::acquire(directory / "locks", 7, milliseconds(20'000))); });
  std::this_thread::sleep_for(milliseconds(20));
  const auto begin = std::chrono::steady_clock::now();
  held.reset();
  waits.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(10'000));
}

TEST(NumberedLock, a_file_that_cannot_be_made_is_no_lock) {
  test::TempDirectory directory;
  EXPECT_FALSE(NumberedLock::acquire(directory.file("plain", "") / "locks", 7, milliseconds(10'000)));
}

}  // namespace
}  // namespace ingot::client
