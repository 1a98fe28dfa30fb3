#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

namespace ingot::base {

// One mutex a name: who makes a thing lets others wait that want the same, and those that want another pass.
class KeyedMutex {
 public:
  class Hold {
   public:
    Hold(KeyedMutex& mutex, std::string key) : mutex_(mutex), key_(std::move(key)) {
      std::unique_lock lock(mutex_.mutex_);
      mutex_.released_.wait(lock, [&] { return mutex_.held_.insert(key_).second; });
    }
    ~Hold() {
      std::lock_guard lock(mutex_.mutex_);
      mutex_.held_.erase(key_);
      mutex_.released_.notify_all();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    KeyedMutex& mutex_;
    std::string key_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable released_;
  std::set<std::string> held_;
};

}  // namespace ingot::base
