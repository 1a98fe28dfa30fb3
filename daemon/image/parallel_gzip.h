#pragma once

#include <deque>
#include <functional>
#include <future>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::image {

// gzip over all cores: every mebibyte is a member of its own, which any reader takes as one stream. Equal input is
// equal output, however many cores there are.
class ParallelGzip {
 public:
  using Sink = std::function<Status(std::string_view)>;
  explicit ParallelGzip(Sink sink);
  ~ParallelGzip();
  ParallelGzip(const ParallelGzip&) = delete;
  ParallelGzip& operator=(const ParallelGzip&) = delete;

  Status write(std::string_view bytes);
  Status finish();

 private:
  Status start_member();
  Status take_oldest();

  Sink sink_;
  std::string piece_;
  std::deque<std::future<std::string>> under_way_;  // in the order of the input
  bool wrote_ = false;
};

}  // namespace ingot::image
