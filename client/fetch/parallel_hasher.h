#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/base/digest.h"

namespace ingot::client {

struct Block {
  std::vector<char> bytes;  // room
  std::size_t size = 0;     // used
};

// Hashes blocks in order on a thread of its own, while the caller already fills and writes the next ones. A few blocks
// go round between both, so that memory is bounded and the slower one sets the pace.
class ParallelHasher {
 public:
  ParallelHasher();
  ~ParallelHasher();
  ParallelHasher(const ParallelHasher&) = delete;
  ParallelHasher& operator=(const ParallelHasher&) = delete;

  Block take();  // an empty one, once there is one
  void give(Block block);
  base::Digest finish();  // of all that was given; at most once

 private:
  void loop();

  std::mutex mutex_;  // guards all below but hasher_
  std::condition_variable changed_;
  std::vector<Block> empty_;
  std::deque<Block> full_;
  bool hashing_ = false;
  bool stopping_ = false;
  base::Hasher hasher_;  // the thread's, until it has nothing to do
  std::thread thread_;
};

}  // namespace ingot::client
