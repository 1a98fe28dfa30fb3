#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/earthfile/questions.h"

namespace ingot::pipeline {

// What was interpreted of late, with what was asked for it: who wants the same, and is told the same, need not
// interpret it again. Thread-safe.
class KeptRecipes {
 public:
  struct Key {
    earthfile::Request request;
    base::Digest earthfile;

    bool operator==(const Key&) const = default;
  };
  struct Kept {
    Key key;
    std::vector<earthfile::Question> questions;
    std::shared_ptr<const earthfile::Interpretation> plan;
  };

  // Bounds about how many bytes all of them together take.
  explicit KeptRecipes(std::size_t most_bytes = 16U << 20U) : most_bytes_(most_bytes) {}

  // Null: there is none. Its questions are still to be asked.
  std::shared_ptr<const Kept> find(const Key& key);
  // In the place of an earlier one of the same key; those that were not found for the longest time go.
  void keep(Kept kept);

  void count(bool was_kept) { ++(was_kept ? taken_ : interpreted_); }
  std::uint64_t taken() const { return taken_; }              // for metrics
  std::uint64_t interpreted() const { return interpreted_; }  // the same

 private:
  struct Entry {
    std::shared_ptr<const Kept> kept;
    std::size_t bytes;
  };
  void remove(std::list<Entry>::iterator entry);

  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one that was wanted last comes first
  std::size_t bytes_ = 0;     // of all of them
  std::atomic<std::uint64_t> taken_ = 0;
  std::atomic<std::uint64_t> interpreted_ = 0;
};

}  // namespace ingot::pipeline
