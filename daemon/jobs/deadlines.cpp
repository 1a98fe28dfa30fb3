#include "daemon/jobs/deadlines.h"

#include <algorithm>

namespace ingot::jobs {

Deadlines::Deadlines() : thread_([this] { loop(); }) {}

Deadlines::~Deadlines() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Deadlines::Id Deadlines::add(std::chrono::steady_clock::duration after, std::function<void()> expired) {
  std::lock_guard lock(mutex_);
  Id id = next_id_++;
  entries_[id] = Entry{std::chrono::steady_clock::now() + after, std::move(expired)};
  changed_.notify_all();
  return id;
}

void Deadlines::remove(Id id) {
  std::unique_lock lock(mutex_);
  entries_.erase(id);
  changed_.wait(lock, [&] { return calling_ != id; });
}

void Deadlines::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto next = std::min_element(entries_.begin(), entries_.end(),
                                 [](const auto& a, const auto& b) { return a.second.when < b.second.when; });
    if (next == entries_.end()) {
      changed_.wait(lock);
      continue;
    }
    if (const auto when = next->second.when; std::chrono::steady_clock::now() < when) {
      changed_.wait_until(lock, when);
      continue;
    }
    auto expired = std::move(next->second.expired);
    calling_ = next->first;
    entries_.erase(next);
    lock.unlock();
    expired();
    lock.lock();
    calling_ = 0;
    changed_.notify_all();
  }
}

}  // namespace ingot::jobs
