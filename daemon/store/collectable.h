#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::store {

// What the collector may remove beside layers. Thread-safe.
class Collectable {
 public:
  virtual ~Collectable() = default;

  struct Thing {
    std::string name;
    std::uint64_t bytes = 0;
    std::int64_t used_ms = 0;  // last
  };
  // Those that nobody uses at this moment; what changed is measured for it.
  virtual std::vector<Thing> unused() = 0;
  // Of all, those in use too, as they were when they were last measured.
  virtual std::uint64_t bytes() const = 0;
  // False when somebody uses it again, or it is gone. Its bytes are free when it returns.
  virtual Result<bool> remove(const std::string& name) = 0;
};

}  // namespace ingot::store
