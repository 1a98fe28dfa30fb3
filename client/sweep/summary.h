#pragma once

#include <string>
#include <vector>

#include "proto/sweep.h"

namespace ingot::client {

// What a sweep came to, for people: what failed together, what took long, what is otherwise than the last time.
struct SweepSummary {
  struct Failure {
    std::string message;  // one error, as its first cell has it
    std::vector<const proto::SweepCell*> cells;
  };
  struct Growth {
    const proto::SweepCell* cell = nullptr;
    std::uint64_t before = 0;  // bytes
  };
  std::uint64_t green = 0;  // with those that were cached
  std::uint64_t cached = 0;
  std::uint64_t red = 0;
  std::uint64_t canceled = 0;
  std::uint64_t open = 0;  // queued or running
  double seconds = 0;      // of all cells together
  std::uint64_t bytes = 0;
  std::vector<Failure> failures;                 // the most frequent first
  std::vector<const proto::SweepCell*> slowest;  // at most five
  // Since the sweep before; all empty where there is none.
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<const proto::SweepCell*> newly_failing;
  std::vector<const proto::SweepCell*> mended;
  std::vector<Growth> grown;  // by more than a tenth
};

// "the base", or its name.
std::string shown_name(const proto::SweepCell& cell);
// Whether its job had nothing to do: equal inputs were built before.
bool was_cached(const proto::SweepCell& cell);

// `before`: the sweep to compare with, or null. Both outlive the summary.
SweepSummary summarize(const proto::Sweep& sweep, const proto::Sweep* before);

// What is left to do at the pace so far, in seconds; negative where nobody knows.
double seconds_left(const proto::Sweep& sweep, std::int64_t now_ms);

}  // namespace ingot::client
