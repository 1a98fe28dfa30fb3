#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "daemon/sandbox/sandbox.h"
#include "daemon/solver/client_side.h"

// RUN --ssh: a step that speaks to the SSH agent of who builds.
namespace ingot::solver {

// Whether the step asks for an agent that it must have and that nobody lends.
bool lacks_agent(const graph::ExecOp& op, const ClientSide* client);
Error no_agent();

// The agent as one step sees it, for as long as the step runs.
class StepAgent {
 public:
  explicit StepAgent(std::shared_ptr<ClientSide> client) : client_(std::move(client)) {}
  StepAgent(const StepAgent&) = delete;
  StepAgent& operator=(const StepAgent&) = delete;

  // A socket for each of its mounts, and the variable that names the first. Nothing, where an agent is no must and
  // nobody lends one. The step must have ended before this goes.
  Status give(const graph::ExecOp& op, sandbox::StepSpec& spec);
  // Afterwards: why the agent could not be spoken to, if that failed; the command has its own words for it.
  std::optional<Error> failure() const;

 private:
  const std::shared_ptr<ClientSide> client_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace ingot::solver
