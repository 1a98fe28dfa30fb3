#include "daemon/graph/graph.h"

#include <algorithm>

namespace ingot::graph {

namespace {

// Calls `visit` with every input of the step, in a fixed order.
template <typename StepType, typename Visit>
void visit_inputs(StepType& step, Visit visit) {
  if (step.parent) visit(*step.parent);
  if (auto* copy = std::get_if<CopyOp>(&step.operation); copy != nullptr && copy->from) visit(*copy->from);
  if (auto* exec = std::get_if<ExecOp>(&step.operation)) {
    for (auto& mount : exec->mounts) {
      if (mount.from) visit(*mount.from);
    }
    for (auto& image : exec->images) visit(image.from);
  }
  if (auto* give = std::get_if<GiveOp>(&step.operation)) visit(give->from);
}

}  // namespace

const Mount* agent_of(const ExecOp& op) {
  const auto found = std::find_if(op.mounts.begin(), op.mounts.end(),
                                  [](const Mount& mount) { return mount.kind == Mount::Kind::ssh; });
  return found == op.mounts.end() ? nullptr : &*found;
}

bool is_local(const Operation& operation) {
  const auto* exec = std::get_if<ExecOp>(&operation);
  return (exec != nullptr && exec->local) || std::holds_alternative<TakeOp>(operation) ||
         std::holds_alternative<GiveOp>(operation);
}

std::vector<StepId> inputs(const Step& step) {
  std::vector<StepId> found;
  visit_inputs(step, [&](const StepId& id) { found.push_back(id); });
  return found;
}

void rename_inputs(Step& step, const std::function<StepId(StepId)>& rename) {
  visit_inputs(step, [&](StepId& id) { id = rename(id); });
}

}  // namespace ingot::graph
