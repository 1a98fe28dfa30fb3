#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"

namespace ingot::pipeline {

// Lets a job run its steps only when what it is likely to write fits on the disk. One job after another: a small one
// does not pass a large one, which would then never run. Thread-safe.
//
// It cannot deadlock: what is admitted never waits here again, so it ends at some time, unless it waits for a job that
// its client has begun, and then it steps aside; and when nothing that was admitted runs any more, the first in line is
// admitted whatever it needs. What it needs is a guess, after all: a disk that is really full ends it with an error
// that says so.
class Admission {
 public:
  // Whether so many bytes fit; makes room for them first, as far as it can.
  using MakeRoom = std::function<Result<bool>(std::uint64_t bytes)>;
  explicit Admission(MakeRoom make_room) : make_room_(std::move(make_room)) {}

  // What a job holds from its admission to its end.
  using Place = std::shared_ptr<void>;
  enum class Entry { at_once, after_waiting, with_doubts };  // the last: it does not fit, and nothing else runs
  struct Admitted {
    Place place;
    Entry entry = Entry::at_once;
  };
  // `waits` is called once if it has to wait. Kind `canceled` when it was canceled while it did.
  Result<Admitted> admit(std::uint64_t bytes, const sys::CancelToken& cancel, const std::function<void()>& waits);

  // Of a job that has a place, and waits for its client: as long as it has this, too, it counts as one that does not
  // run. What it was promised stays so.
  Place step_aside();

  unsigned waiting() const;

 private:
  Place take(std::uint64_t bytes);

  const MakeRoom make_room_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::list<int> line_;  // who waits, in order of arrival
  unsigned running_ = 0;
  std::uint64_t promised_ = 0;  // to those that run
};

}  // namespace ingot::pipeline
