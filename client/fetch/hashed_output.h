#pragma once

#include <functional>

#include "client/fetch/parallel_hasher.h"
#include "client/transport/http.h"

namespace ingot::client {

using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Bytes on their way to a descriptor, and their digest.
class HashedOutput {
 public:
  explicit HashedOutput(int fd) : fd_(fd) {}

  // What the descriptor has already, from its start up to `size`: only hashed.
  Status hash_existing(std::uint64_t size);
  // The whole body of an answer, straight from the socket. What came before a connection broke is written.
  Status take(HttpConnection& connection, const std::function<void(std::uint64_t)>& written);
  base::Digest finish() { return hasher_.finish(); }

 private:
  int fd_;
  ParallelHasher hasher_;
};

}  // namespace ingot::client
