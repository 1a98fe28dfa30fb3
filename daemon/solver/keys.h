#pragma once

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

// `images` has the snapshot of every step that is an image. A COPY of what the context lacks fails, with its position.
Result<std::vector<StepKey>> keys_of(const graph::Graph& graph, const store::ContextTree& context,
                                     const std::vector<store::Lease>& images);

}  // namespace ingot::solver
