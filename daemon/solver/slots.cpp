#include "daemon/solver/slots.h"

#include <tuple>

namespace ingot::solver {

namespace {
// So long a step waits until it counts as one priority higher: nothing waits for ever.
constexpr std::int64_t kAgeingMs = 30'000;
}  // namespace

bool Slots::fits(const Demand& demand) const {
  if (running_ == 0) return true;  // one that is larger than the host must run at some time
  if (running_ >= capacity_.steps) return false;
  return capacity_.memory_bytes == 0 || memory_ + demand.memory_bytes <= capacity_.memory_bytes;
}

std::list<Slots::Waiter>::const_iterator Slots::next() const {
  const std::int64_t now = clock_.unix_ms();
  const auto rank = [&](const Waiter& waiter) {
    const std::int64_t priority = waiter.demand->priority + (now - waiter.since_ms) / kAgeingMs;
    const auto running = running_of_.find(waiter.demand->submitter);
    return std::tuple(-priority, running == running_of_.end() ? 0U : running->second);
  };
  auto best = waiting_.end();
  for (auto waiter = waiting_.begin(); waiter != waiting_.end(); ++waiter) {
    if (best == waiting_.end() || rank(*waiter) < rank(*best)) best = waiter;
  }
  return best;
}

Slots::Slot Slots::acquire(const Demand& demand, const sys::CancelToken& cancel) {
  std::unique_lock lock(mutex_);
  const auto self = waiting_.insert(waiting_.end(), {&demand, clock_.unix_ms()});
  // The next in line has the room to itself: a small step never passes a large one, which would then never run.
  constexpr std::chrono::milliseconds kLookForCancel(100);
  while (next() != self || !fits(demand)) {
    if (cancel.canceled()) {
      waiting_.erase(self);
      changed_.notify_all();
      return {};
    }
    changed_.wait_for(lock, kLookForCancel);
  }
  waiting_.erase(self);
  ++running_;
  ++running_of_[demand.submitter];
  memory_ += demand.memory_bytes;
  changed_.notify_all();
  return Slot(this, [this, demand](void*) { release(demand); });
}

void Slots::release(const Demand& demand) {
  std::lock_guard lock(mutex_);
  --running_;
  memory_ -= demand.memory_bytes;
  if (auto of = running_of_.find(demand.submitter); --of->second == 0) running_of_.erase(of);
  changed_.notify_all();
}

Slots::Counts Slots::counts() const {
  std::lock_guard lock(mutex_);
  return {running_, static_cast<unsigned>(waiting_.size())};
}

}  // namespace ingot::solver
