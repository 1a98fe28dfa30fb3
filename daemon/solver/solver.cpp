#include "daemon/solver/solver.h"

#include <chrono>

#include "daemon/base/log.h"
#include "daemon/store/artifacts.h"

namespace ingot::solver {

namespace {

StepInputs ids_of(const std::vector<store::Lease>& inputs) {
  StepInputs ids;
  for (const auto& input : inputs) ids.push_back(std::to_string(input.id()));
  return ids;
}

double seconds_since(std::chrono::steady_clock::time_point when) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - when).count();
}

}  // namespace

Result<StepResult> Solver::fly(const Wanted& wanted, const Flights::Cockpit& cockpit) {
  if (wanted.look) {
    const StepInputs inputs = ids_of(wanted.work.inputs);
    // Its equal may have landed between the builder's look and this flight.
    INGOT_TRY(auto found, cache_.find(wanted.operation, inputs));
    const bool by_inputs = found.has_value();
    if (!found) {
      INGOT_TRY(found, find_by_content(wanted));
    }
    if (found) {
      ++(by_inputs ? counters_.hit_inputs : counters_.hit_content);
      INGOT_CHECK(cache_.remember(wanted.key, wanted.operation, inputs, found->id()));
      return StepResult{std::move(*found), by_inputs ? Origin::same_inputs : Origin::same_content};
    }
  }
  return execute(wanted, cockpit);
}

Result<std::optional<store::Lease>> Solver::find_by_content(const Wanted& wanted) {
  INGOT_TRY(auto candidates, cache_.candidates(wanted.operation));
  for (auto& known : candidates) {
    // A candidate that cannot be read any more is none; the step can still be run.
    auto same = same_inputs(wanted, known);
    if (!same) base::log::debug("not compared with an earlier step: {}", same.error().message);
    if (same && *same) return std::optional(std::move(known.result));
  }
  return std::optional<store::Lease>();
}

Result<bool> Solver::same_inputs(const Wanted& wanted, const KnownStep& known) {
  const auto& inputs = wanted.work.inputs;
  if (known.inputs.size() != inputs.size()) return false;
  const auto* copy = std::get_if<graph::CopyOp>(&wanted.work.step.operation);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const store::SnapshotId other = std::stoll(known.inputs[i]);
    if (inputs[i].id() == other) continue;
    // An input of that time may be gone.
    const store::Lease kept = snapshots_.lease(other);
    if (!snapshots_.is_there(other)) return false;
    if (copy != nullptr && copy->from && i > 0) {
      INGOT_TRY(bool same, executor_.same_selection(*copy, inputs[i].id(), other));
      if (!same) return false;
      continue;
    }
    INGOT_TRY(bool same, snapshots_.same_content(inputs[i].id(), other));
    if (!same) return false;
  }
  return true;
}

// What is told of a build's steps is told to all who wait for them.
Result<Executed> Solver::execute_masked(const Wanted& wanted, const Flights::Cockpit& cockpit) {
  if (!wanted.mask) return executor_.execute(wanted.work, cockpit.output, cockpit.cancel);
  base::MaskedStream out(wanted.mask);
  base::MaskedStream err(wanted.mask);
  const auto tell = [&](sys::Stream stream, const std::string& text) {
    if (!text.empty()) cockpit.output(stream, text);
  };
  auto executed = executor_.execute(
      wanted.work,
      [&](sys::Stream stream, std::string_view bytes) {
        tell(stream, (stream == sys::Stream::out ? out : err).add(bytes));
      },
      cockpit.cancel);
  tell(sys::Stream::out, out.finish());
  tell(sys::Stream::err, err.finish());
  if (!executed) return base::fail(wanted.mask->apply(executed.error()));
  if (executed->failure) executed->failure = wanted.mask->apply(*executed->failure);
  return executed;
}

Result<StepResult> Solver::execute(const Wanted& wanted, const Flights::Cockpit& cockpit) {
  Demand demand = wanted.demand;
  INGOT_TRY(auto expected, cache_.cost_of(wanted.operation));
  demand.memory_bytes = expected.memory_bytes;
  const auto asked = std::chrono::steady_clock::now();
  // What the client does takes nothing of this host's, and may well wait for a build here itself.
  const bool needs_slot = !graph::is_local(wanted.work.step.operation);
  const auto slot = needs_slot ? slots_.acquire(demand, cockpit.cancel) : Slots::Slot();
  if (needs_slot && !slot) return base::fail(ErrorKind::canceled, "canceled");
  counters_.slot_wait_seconds.observe(seconds_since(asked));
  cockpit.started();
  ++counters_.executed;
  const auto begun = std::chrono::steady_clock::now();
  auto outcome = execute_masked(wanted, cockpit);
  counters_.step_seconds.observe(seconds_since(begun));
  if (!outcome && outcome.error().kind != ErrorKind::canceled) ++counters_.failed;
  INGOT_TRY(auto executed, std::move(outcome));
  const auto cost = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  StepResult result;
  INGOT_TRY(result.snapshot, snapshots_.commit(std::move(executed.layer), [&](store::SnapshotId id) -> Status {
    if (executed.failure) return {};  // it is nobody's: the step will be run again
    return cache_.record(wanted.key, wanted.operation, ids_of(wanted.work.inputs), id,
                         {cost.count(), executed.peak_memory_bytes});
  }));
  result.failure = std::move(executed.failure);
  if (result.failure) ++counters_.failed;
  collector_.wake();
  return result;
}

Result<std::vector<proto::Artifact>> Solver::save(store::SnapshotId snapshot, const graph::SaveArtifact& artifact) {
  return saved_.get(snapshot, artifact, [&]() -> Result<std::vector<proto::Artifact>> {
    std::vector<proto::Artifact> saved;
    INGOT_TRY(auto stack, snapshots_.layers(snapshot));
    INGOT_TRY(auto files, store::LayerFiles::open(stack));
    const store::ArtifactLayers layers{std::move(files),
                                       [this](const auto& layer, const auto& digest, const auto& file) {
                                         return snapshots_.counts_as_blob(layer, digest, file);
                                       }};
    INGOT_CHECK(with_file_system(snapshots_, snapshot, [&](const sys::RootedDir& root) -> Status {
      INGOT_TRY(saved, store::save_artifacts(artifact, root, blobs_, &layers));
      return {};
    }));
    return saved;
  });
}

}  // namespace ingot::solver
