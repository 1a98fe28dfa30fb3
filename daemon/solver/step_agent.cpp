#include "daemon/solver/step_agent.h"

#include <algorithm>

namespace ingot::solver {

namespace {

bool is_agent(const graph::Mount& mount) {
  return mount.kind == graph::Mount::Kind::ssh;
}

}  // namespace

bool lacks_agent(const graph::ExecOp& op, const ClientSide* client) {
  if (client != nullptr && client->lends_agent()) return false;
  return std::any_of(op.mounts.begin(), op.mounts.end(),
                     [](const auto& mount) { return is_agent(mount) && mount.required; });
}

Error no_agent() {
  return {
      ErrorKind::not_found,
      "this step asks for ssh, and the client has no SSH agent with keys",
      "start one with `eval $(ssh-agent)`, give it keys with `ssh-add`, and let `ingot build` run until the job has "
      "ended: a job of `submit` or `retry` has nobody who could lend it one",
      {},
      {}};
}

Status StepAgent::give(const graph::ExecOp& op, sandbox::StepSpec& spec) {
  constexpr const char* kVariable = "SSH_AUTH_SOCK";
  const graph::Mount* first = graph::agent_of(op);
  if (first == nullptr) return {};
  if (lacks_agent(op, client_.get())) return base::fail(no_agent());
  if (!client_ || !client_->lends_agent()) return {};
  const auto serve = [this](int connection, const sys::CancelToken& stop) {
    auto served = client_->serve_agent(connection, stop);
    if (served || served.error().kind == ErrorKind::canceled) return;
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(served.error());
  };
  for (const auto& mount : op.mounts) {
    if (!is_agent(mount)) continue;
    spec.sockets.push_back({mount.target, serve, mount.mode.value_or(0600), mount.uid, mount.gid});
  }
  // One that the recipe sets itself is the recipe's business.
  const auto has = [&](const auto& variable) { return variable.first == kVariable; };
  if (std::none_of(spec.env.begin(), spec.env.end(), has)) spec.env.emplace_back(kVariable, first->target);
  return {};
}

std::optional<Error> StepAgent::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace ingot::solver
