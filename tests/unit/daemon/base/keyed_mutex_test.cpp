#include "daemon/base/keyed_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace ingot::base {
namespace {

TEST(KeyedMutex, one_at_a_time_of_a_name) {
  KeyedMutex mutex;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const KeyedMutex::Hold hold(mutex, "a");
        if (++inside > 1) overlapped = true;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
}

TEST(KeyedMutex, other_names_pass) {
  KeyedMutex mutex;
  const KeyedMutex::Hold one(mutex, "a");
  std::thread([&] { const KeyedMutex::Hold other(mutex, "b"); }).join();
}

}  // namespace
}  // namespace ingot::base
