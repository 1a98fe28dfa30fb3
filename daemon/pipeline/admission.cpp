#include "daemon/pipeline/admission.h"

#include <algorithm>

#include "daemon/base/log.h"

namespace ingot::pipeline {

std::uint64_t bytes_of(const Needs& needs) {
  std::uint64_t sum = 0;
  for (const auto& [work, bytes] : needs) sum += bytes;
  return sum;
}

// Under the lock.
Admission::Place Admission::take(const Needs& needs) {
  ++running_;
  for (const auto& [work, bytes] : needs) {
    Promise& promise = promised_[work];
    promise.bytes = std::max(promise.bytes, bytes);
    ++promise.jobs;
  }
  return Place(this, [this, needs](void*) {
    std::lock_guard lock(mutex_);
    --running_;
    for (const auto& [work, bytes] : needs) {
      const auto promise = promised_.find(work);
      if (--promise->second.jobs == 0) promised_.erase(promise);
    }
    changed_.notify_all();
  });
}

// Under the lock: all that is promised once these needs are, too.
std::uint64_t Admission::promised_with(const Needs& needs) const {
  std::uint64_t sum = bytes_of(needs);
  for (const auto& [work, promise] : promised_) {
    const auto wanted = needs.find(work);
    const std::uint64_t counted = wanted == needs.end() ? 0 : wanted->second;
    sum += promise.bytes - std::min(promise.bytes, counted);
  }
  return sum;
}

Admission::Place Admission::step_aside() {
  std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
  return Place(this, [this](void*) {
    std::lock_guard back(mutex_);
    ++running_;
  });
}

Result<Admission::Admitted> Admission::admit(const Needs& needs, const sys::CancelToken& cancel,
                                             const std::function<void()>& waits) {
  constexpr std::chrono::milliseconds kLookAgain(500);
  std::unique_lock lock(mutex_);
  if (bytes_of(needs) == 0) return Admitted{take({}), Entry::at_once};
  const auto self = line_.insert(line_.end(), 0);
  bool told = false;
  bool was_alone = false;
  const auto leave = [&](Result<Admitted> result) {
    line_.erase(self);
    changed_.notify_all();
    return result;
  };
  while (true) {
    if (self == line_.begin()) {
      const std::uint64_t wanted = promised_with(needs);
      const bool alone = running_ == 0;
      // Removing layers takes its time. Meanwhile nobody passes: only the first in line is here.
      lock.unlock();
      auto fits = make_room_(wanted);
      lock.lock();
      if (!fits) base::log::warning("making room on the disk: {}", fits.error().message);
      if (!fits || *fits) return leave(Admitted{take(needs), told ? Entry::after_waiting : Entry::at_once});
      // Steps that were canceled a moment ago still hold what they stood on: it is looked at twice.
      const bool is_alone = alone && running_ == 0;
      if (is_alone && was_alone) return leave(Admitted{take(needs), Entry::with_doubts});
      was_alone = is_alone;
      if (is_alone && !cancel.canceled()) {
        changed_.wait_for(lock, kLookAgain);
        continue;
      }
    }
    if (cancel.canceled()) return leave(base::fail(ErrorKind::canceled, "canceled"));
    if (!told) {
      told = true;
      lock.unlock();
      waits();
      lock.lock();
      continue;  // it may be its turn by now
    }
    changed_.wait_for(lock, kLookAgain);
  }
}

unsigned Admission::waiting() const {
  std::lock_guard lock(mutex_);
  return static_cast<unsigned>(line_.size());
}

}  // namespace ingot::pipeline
