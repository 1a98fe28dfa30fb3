#include "daemon/solver/keys.h"

#include <openssl/rand.h>

#include "daemon/graph/definition.h"
#include "daemon/store/context_copy.h"

namespace ingot::solver {

namespace {

// The key of what nothing else has.
base::Digest unique_key() {
  unsigned char bytes[32];
  RAND_bytes(bytes, sizeof bytes);
  return base::Digest::of({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

Result<base::Digest> operation_of(const graph::Step& step, const store::ContextTree& context) {
  const base::Digest operation = graph::operation_digest(step);
  const auto* copy = std::get_if<graph::CopyOp>(&step.operation);
  if (copy == nullptr || copy->from) return operation;
  auto selection = store::selection_digest(*copy, context);
  if (selection) return base::Digest::of(operation.str() + selection->str());
  Error error = selection.error();
  error.position = step.position;
  return base::fail(std::move(error));
}

}  // namespace

std::optional<StepKey> KnownKeys::find(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(number);
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

void KnownKeys::add(std::size_t number, const StepKey& key) {
  const std::lock_guard lock(mutex_);
  keys_.try_emplace(number, key);
}

Result<std::vector<StepKey>> keys_of(const graph::Graph& graph, const store::ContextTree& context,
                                     const std::vector<store::Lease>& images, KnownKeys& known) {
  std::vector<StepKey> keys;
  keys.reserve(graph.steps.size());
  for (graph::StepId id = 0; id < graph.steps.size(); ++id) {
    const graph::Step& step = graph.steps[id];
    StepKey made;
    if (std::holds_alternative<graph::ImageOp>(step.operation)) {
      made.key = base::Digest::of("image " + std::to_string(images.at(id).id()));
      keys.push_back(std::move(made));
      continue;
    }
    // A graph that nobody numbered has no job.
    if (auto key = step.number == 0 ? std::nullopt : known.find(step.number)) {
      keys.push_back(*std::move(key));
      continue;
    }
    INGOT_TRY(made.operation, operation_of(step, context));
    std::vector<base::Digest> inputs{made.operation};
    for (graph::StepId input : graph::inputs(step)) inputs.push_back(keys.at(input).key);
    made.key = graph::definition(graph::operation_digest(step), inputs);
    const auto* exec = std::get_if<graph::ExecOp>(&step.operation);
    made.never_found = (exec != nullptr && exec->no_cache) || graph::is_local(step.operation);
    if (made.never_found) made.key = unique_key();
    if (step.number != 0) known.add(step.number, made);
    keys.push_back(std::move(made));
  }
  return keys;
}

}  // namespace ingot::solver
