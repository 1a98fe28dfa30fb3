#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/db/database.h"
#include "daemon/store/snapshots.h"

namespace ingot::solver {

// What a step stood on, as the cache knows it: snapshots, and digests of what it took of them.
using StepInputs = std::vector<std::string>;

struct StepCost {
  std::int64_t milliseconds = 0;
  std::uint64_t memory_bytes = 0;
};

// A step that was executed once.
struct KnownStep {
  StepInputs inputs;
  store::Lease result;
};

// Which snapshot is the result of which step: the table `steps`. What a snapshot is removed with it. Thread-safe.
class StepCache {
 public:
  StepCache(db::Database& database, store::SnapshotStore& snapshots) : database_(database), snapshots_(snapshots) {}

  // By definition: the step and all that it stands on, as written.
  Result<std::optional<store::Lease>> find(const base::Digest& key);
  // The same operation on exactly these inputs.
  Result<std::optional<store::Lease>> find(const base::Digest& operation, const StepInputs& inputs);
  // The same operation on other inputs, the latest first.
  Result<std::vector<KnownStep>> candidates(const base::Digest& operation);

  // The statement that goes into the transaction which makes the snapshot known.
  Status record(const base::Digest& key, const base::Digest& operation, const StepInputs& inputs,
                store::SnapshotId snapshot, StepCost cost);
  // What the operation took when it was last run; nothing when it never was.
  Result<StepCost> cost_of(const base::Digest& operation);
  // What was found by its inputs is found by its definition from now on.
  Status remember(const base::Digest& key, const base::Digest& operation, const StepInputs& inputs,
                  store::SnapshotId snapshot);

 private:
  db::Database& database_;
  store::SnapshotStore& snapshots_;
};

}  // namespace ingot::solver
