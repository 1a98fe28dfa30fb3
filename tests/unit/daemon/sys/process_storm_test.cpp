#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/sys/process.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INGOT_FORKS
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(INGOT_FORKS)
constexpr int kSpawns = 1'000;  // there the launcher forks, and copies the sanitizer's huge address space
#else
constexpr int kSpawns = 10'000;
#endif

namespace ingot::sys {
namespace {

// What deadlocks a launcher are locks that other threads hold at the moment of fork(): of the allocator, of stdio, of
// an event loop. Threads of all these kinds are busy meanwhile.
class BusyThreads {
 public:
  BusyThreads() {
    threads_.emplace_back([this] { allocate(); });
    threads_.emplace_back([this] { print(); });
    threads_.emplace_back([this] { cancel(); });
  }
  ~BusyThreads() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  void pause() const { std::this_thread::sleep_for(std::chrono::microseconds(200)); }
  void allocate() const {
    for (std::map<int, std::string> map; !stop_; pause()) {
      for (int i = 0; i < 100; ++i) map[i] = std::string(static_cast<std::size_t>(i) * 100, 'x');
      map.clear();
    }
  }
  void print() const {
    FILE* null = fopen("/dev/null", "we");
    for (; !stop_; pause()) {
      for (int i = 0; i < 100; ++i) fprintf(null, "%d\n", i);
    }
    fclose(null);
  }
  void cancel() const {
    for (; !stop_; pause()) {
      CancelSource source;
      (void)source.token().fd();
      source.cancel();
    }
  }

  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// About four seconds on two cores, for it is what stands between the launcher and a daemon that hangs once a month.
TEST(ProcessStorm, TenThousandStartsOnEightThreads) {
  constexpr int kThreads = 8;
  std::atomic<int> succeeded{0};
  std::atomic<int> failed_as_expected{0};
  {
    const BusyThreads busy;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        Command good;
        good.argv = {"/bin/true"};
        Command bad;
        bad.argv = {"/no/such/program"};
        CancelSource source;
        for (int i = 0; i < kSpawns / kThreads; ++i) {
          const bool is_bad = i % 50 == 49;
          auto status = system_processes().run(is_bad ? bad : good, {}, source.token());
          if (is_bad && !status) ++failed_as_expected;
          if (!is_bad && status && status->ok()) ++succeeded;
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  constexpr int kBad = kThreads * (kSpawns / kThreads / 50);
  EXPECT_EQ(failed_as_expected, kBad);
  EXPECT_EQ(succeeded, kSpawns - kBad);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
}

TEST(ProcessStorm, ChildrenOfManyThreadsDoNotShareDescriptors) {
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  std::mutex mutex;
  std::map<std::string, int> seen;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Command command;
      command.argv = {"sh", "-c", "n=0; while [ $n -lt 99 ]; do [ -h /proc/self/fd/$n ] && echo $n; n=$((n+1)); done"};
      for (int i = 0; i < kEach; ++i) {
        auto captured = capture(system_processes(), command);
        const std::lock_guard lock(mutex);
        ++seen[captured ? captured->out : captured.error().message];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen, (std::map<std::string, int>{{"0\n1\n2\n", kThreads * kEach}}));
}

}  // namespace
}  // namespace ingot::sys
