#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/sys/cancel.h"

namespace ingot::solver {

// Who asks for room to run a step, and how much.
struct Demand {
  std::string submitter;
  int priority = 0;
  std::uint64_t memory_bytes = 0;  // what it took when it was last run
};

// How many steps run at once, by processors and memory. Who waits longest for its priority comes first, and among
// equals the submitter who has least running: one person's sixty targets do not hold up another's single one.
// Thread-safe.
class Slots {
 public:
  struct Capacity {
    unsigned steps = 1;
    std::uint64_t memory_bytes = 0;  // 0: not counted
  };
  // A step's room, given back at its end.
  using Slot = std::shared_ptr<void>;

  Slots(Capacity capacity, const base::Clock& clock) : capacity_(capacity), clock_(clock) {}

  // Waits until there is room. Empty when it was canceled first.
  Slot acquire(const Demand& demand, const sys::CancelToken& cancel);

  struct Counts {
    unsigned running = 0;
    unsigned waiting = 0;
  };
  Counts counts() const;

 private:
  struct Waiter {
    const Demand* demand;
    std::int64_t since_ms;
  };
  bool fits(const Demand& demand) const;
  std::list<Waiter>::const_iterator next() const;
  void release(const Demand& demand);

  const Capacity capacity_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiter> waiting_;  // in order of arrival
  std::map<std::string, unsigned> running_of_;
  unsigned running_ = 0;
  std::uint64_t memory_ = 0;
};

}  // namespace ingot::solver
