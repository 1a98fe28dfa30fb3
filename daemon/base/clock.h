#pragma once

#include <chrono>
#include <cstdint>

namespace ingot::base {

// The seam for time: a fake stands in for it in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point now() const = 0;  // for durations
  virtual std::int64_t unix_ms() const = 0;                       // for records
};

Clock& system_clock();

}  // namespace ingot::base
