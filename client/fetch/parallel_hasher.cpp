#include "client/fetch/parallel_hasher.h"

namespace ingot::client {

ParallelHasher::ParallelHasher() : thread_([this] { loop(); }) {}

ParallelHasher::~ParallelHasher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ParallelHasher::begin(std::string_view block) {
  std::lock_guard lock(mutex_);
  block_ = block;
  busy_ = true;
  changed_.notify_all();
}

void ParallelHasher::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !busy_; });
}

base::Digest ParallelHasher::finish() {
  wait();
  return hasher_.finish();
}

void ParallelHasher::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return busy_ || stopping_; });
    if (!busy_) return;
    const std::string_view block = block_;
    lock.unlock();
    hasher_.update(block);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace ingot::client
