#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace ingot::jobs {

// Calls functions at their time, on a thread of its own that sleeps while nothing is due: an idle daemon wakes for
// nothing.
class Deadlines {
 public:
  Deadlines();
  ~Deadlines();

  using Id = std::uint64_t;
  Id add(std::chrono::steady_clock::duration after, std::function<void()> expired);
  // After it returns the function is not running and will not be called. Not from within one.
  void remove(Id id);

 private:
  struct Entry {
    std::chrono::steady_clock::time_point when;
    std::function<void()> expired;
  };
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, Entry> entries_;
  Id next_id_ = 1;
  Id calling_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ingot::jobs
