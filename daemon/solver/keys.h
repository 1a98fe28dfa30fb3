#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/graph/graph.h"
#include "daemon/store/context_tree.h"
#include "daemon/store/leases.h"

namespace ingot::solver {

// How the steps of a graph are found again: what each is by definition, with all that it stands on and what it takes of
// the context. Equal for equal steps of any job, target, host or time.
struct StepKey {
  base::Digest key;          // with all that it stands on
  base::Digest operation;    // the step alone, and what it takes of the context
  bool never_found = false;  // --no-cache: it is run whenever it is wanted
};

// The keys of a job's steps, by their numbers: what one of its builds found out, the next need not. Thread-safe.
class KnownKeys {
 public:
  std::optional<StepKey> find(std::size_t number) const;
  void add(std::size_t number, const StepKey& key);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, StepKey> keys_;
};

// `images` has the snapshot of every step that is an image. A COPY of what the context lacks fails, with its position.
Result<std::vector<StepKey>> keys_of(const graph::Graph& graph, const store::ContextTree& context,
                                     const std::vector<store::Lease>& images, KnownKeys& known);

}  // namespace ingot::solver
