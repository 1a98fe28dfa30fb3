#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "daemon/base/digest.h"

namespace ingot::client {

// Hashes a block on a thread of its own while the caller writes the same block: a download is as fast as the slower of
// both.
class ParallelHasher {
 public:
  ParallelHasher();
  ~ParallelHasher();

  void begin(std::string_view block);  // which must stay as it is until wait()
  void wait();
  base::Digest finish();

 private:
  void loop();

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::string_view block_;
  bool busy_ = false;
  bool stopping_ = false;
  base::Hasher hasher_;
  std::thread thread_;
};

}  // namespace ingot::client
