#pragma once

#include <deque>
#include <functional>
#include <future>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::image {

// gzip or zstd over all cores: every piece is a gzip member or a zstd frame of its own, which any reader takes as one
// stream. Equal input is equal output, however many cores there are.
class ParallelCompressor {
 public:
  using Sink = std::function<Status(std::string_view)>;
  ParallelCompressor(proto::Compression compression, Sink sink);
  ~ParallelCompressor();
  ParallelCompressor(const ParallelCompressor&) = delete;
  ParallelCompressor& operator=(const ParallelCompressor&) = delete;

  Status write(std::string_view bytes);
  Status finish();

 private:
  Status start_piece();
  Status take_oldest();

  const proto::Compression compression_;
  const std::size_t piece_size_;
  Sink sink_;
  std::string piece_;
  std::deque<std::future<Result<std::string>>> under_way_;  // in the order of the input
  bool wrote_ = false;
};

}  // namespace ingot::image
