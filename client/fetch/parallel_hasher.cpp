#include "client/fetch/parallel_hasher.h"

namespace ingot::client {

namespace {
constexpr std::size_t kBlocks = 4;
constexpr std::size_t kBlockSize =
    128 << 10;  // small enough to stay in the processor's cache between the socket and the file
}  // namespace

ParallelHasher::ParallelHasher() {
  for (std::size_t i = 0; i < kBlocks; ++i) empty_.push_back({std::vector<char>(kBlockSize), 0});
  thread_ = std::thread([this] { loop(); });
}

ParallelHasher::~ParallelHasher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Block ParallelHasher::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !empty_.empty(); });
  Block block = std::move(empty_.back());
  empty_.pop_back();
  block.size = 0;
  return block;
}

void ParallelHasher::give(Block block) {
  std::lock_guard lock(mutex_);
  full_.push_back(std::move(block));
  changed_.notify_all();
}

base::Digest ParallelHasher::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return full_.empty() && !hashing_; });
  return hasher_.finish();
}

void ParallelHasher::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !full_.empty() || stopping_; });
    if (stopping_) return;
    Block block = std::move(full_.front());
    full_.pop_front();
    hashing_ = true;
    lock.unlock();
    hasher_.update(block.bytes.data(), block.size);
    lock.lock();
    hashing_ = false;
    empty_.push_back(std::move(block));
    changed_.notify_all();
  }
}

}  // namespace ingot::client
