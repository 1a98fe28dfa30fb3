#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/sys/process.h"

namespace ingot::test {

// Time that moves only when a test says so.
class FakeClock : public base::Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{ms_.load()}};
  }
  std::int64_t unix_ms() const override { return 1'700'000'000'000 + ms_.load(); }
  void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{0};
};

// Answers commands by a function of the test's, and remembers them.
class FakeProcesses : public sys::ProcessRunner {
 public:
  using Answer = std::function<Result<sys::ExitStatus>(const sys::Command&, const sys::OutputSink&)>;
  explicit FakeProcesses(Answer answer) : answer_(std::move(answer)) {}

  Result<sys::ExitStatus> run(const sys::Command& command, const sys::OutputSink& sink,
                              const sys::CancelToken& /*cancel*/) override {
    {
      std::lock_guard lock(mutex_);
      commands_.push_back(command);
    }
    return answer_(command, sink);
  }
  std::vector<sys::Command> commands() const {
    std::lock_guard lock(mutex_);
    return commands_;
  }

 private:
  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<sys::Command> commands_;
};

}  // namespace ingot::test
