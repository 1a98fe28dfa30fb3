#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace ingot::base {

// A thread that looks after something: when it begins, whenever somebody wakes it, and as often as it says itself.
// Thread-safe.
class Lookout {
 public:
  // Looks, and says after how long again; none: only when it is woken, so that an idle daemon wakes for nothing.
  using Look = std::function<std::optional<std::chrono::milliseconds>()>;

  ~Lookout() { stop(); }
  void start(Look look);
  void wake();  // one that is looking looks once more
  void stop();  // once it has looked to the end
  bool is_running() const;

 private:
  void run(const Look& look);

  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  bool stop_ = false;
  bool is_woken_ = false;
  std::thread thread_;
};

}  // namespace ingot::base
