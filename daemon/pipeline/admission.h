#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"

namespace ingot::pipeline {

// The bytes that a job is likely to write, by the work that writes them: what several jobs are about to do is done
// once, and its bytes are needed once.
using Needs = std::map<std::string, std::uint64_t>;
std::uint64_t bytes_of(const Needs& needs);

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
  Result<Admitted> admit(const Needs& needs, const sys::CancelToken& cancel, const std::function<void()>& waits);

  // Of a job that has a place, and waits for its client: as long as it has this, too, it counts as one that does not
  // run. What it was promised stays so.
  Place step_aside();

  unsigned waiting() const;

 private:
  struct Promise {
    std::uint64_t bytes = 0;
    unsigned jobs = 0;
  };
  Place take(const Needs& needs);
  std::uint64_t promised_with(const Needs& needs) const;

  const MakeRoom make_room_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::list<int> line_;  // who waits, in order of arrival
  unsigned running_ = 0;
  std::map<std::string, Promise> promised_;  // to those that run
};

}  // namespace ingot::pipeline
