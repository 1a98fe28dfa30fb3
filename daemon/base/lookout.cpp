#include "daemon/base/lookout.h"

#include <utility>

namespace ingot::base {

void Lookout::start(Look look) {
  const std::lock_guard lock(mutex_);
  thread_ = std::thread([this, look = std::move(look)] { run(look); });
}

void Lookout::wake() {
  const std::lock_guard lock(mutex_);
  is_woken_ = true;
  changed_.notify_all();
}

void Lookout::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    thread.swap(thread_);
    changed_.notify_all();
  }
  if (thread.joinable()) thread.join();
}

bool Lookout::is_running() const {
  const std::lock_guard lock(mutex_);
  return thread_.joinable();
}

void Lookout::run(const Look& look) {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    is_woken_ = false;
    lock.unlock();
    const auto pause = look();
    lock.lock();
    const auto is_over = [this] { return stop_ || is_woken_; };
    if (pause) {
      changed_.wait_for(lock, *pause, is_over);
    } else {
      changed_.wait(lock, is_over);
    }
  }
}

}  // namespace ingot::base
