#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/solver/keys.h"
#include "daemon/store/leases.h"

namespace ingot::solver {

// What the builds of one job made or found, by the steps' numbers: none of it is made again for the same job, whatever
// asks for it. Kept from being collected as long as this lives. Thread-safe.
class JobResults {
 public:
  JobResults() = default;
  // Of a job whose steps have these keys.
  explicit JobResults(std::shared_ptr<KnownKeys> keys) : keys_(std::move(keys)) {}

  const std::shared_ptr<KnownKeys>& keys() const { return keys_; }
  std::optional<store::Lease> find(std::size_t step) const {
    std::lock_guard lock(mutex_);
    const auto found = results_.find(step);
    return found == results_.end() ? std::nullopt : std::optional(found->second);
  }
  // What a step wrote that failed, and that keeps it all the same.
  std::optional<store::Lease> find_failed(std::size_t step) const {
    std::lock_guard lock(mutex_);
    const auto found = failed_.find(step);
    return found == failed_.end() ? std::nullopt : std::optional(found->second);
  }
  void add_failed(std::size_t step, const store::Lease& result) {
    std::lock_guard lock(mutex_);
    failed_.try_emplace(step, result);
  }
  // Why a step failed: it is not run again for the same job.
  std::optional<Error> failure_of(std::size_t step) const {
    std::lock_guard lock(mutex_);
    const auto found = failures_.find(step);
    return found == failures_.end() ? std::nullopt : std::optional(found->second);
  }
  void add_failure(std::size_t step, const Error& error) {
    std::lock_guard lock(mutex_);
    failures_.try_emplace(step, error);
  }
  void add(std::size_t step, const store::Lease& result) {
    std::lock_guard lock(mutex_);
    results_.try_emplace(step, result);
  }

 private:
  const std::shared_ptr<KnownKeys> keys_ = std::make_shared<KnownKeys>();
  mutable std::mutex mutex_;
  std::map<std::size_t, store::Lease> results_;
  std::map<std::size_t, store::Lease> failed_;
  std::map<std::size_t, Error> failures_;
};

}  // namespace ingot::solver
