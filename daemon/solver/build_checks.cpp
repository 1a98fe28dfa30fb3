#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/solver/build.h"
#include "daemon/solver/step_agent.h"
#include "daemon/solver/step_secrets.h"

// What a build needs of its client and of the host. It is looked at before anything runs: an hour of building for
// nothing would be worse than the error. What is there already needs nothing.
namespace ingot::solver {

using base::fail;

Status Build::check_secrets() const {
  static const proto::Secrets kNone;
  const proto::Secrets& secrets = request_.secrets ? *request_.secrets : kNone;
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    const auto* exec = std::get_if<graph::ExecOp>(&step(id).operation);
    if (exec == nullptr || !nodes_[id].wanted || nodes_[id].result) continue;
    if (const std::string lost = lost_secret(request_.lost_secrets, *exec); !lost.empty()) {
      return fail(
          at_step({ErrorKind::unavailable,
                   "this step needs the secret \"" + base::printable(lost) +
                       "\", which is lost: it was in memory only, until its job ended or the host was restarted",
                   "submit the job again, with its secrets",
                   {},
                   {}},
                  step(id)));
    }
    const std::string missing = missing_secret(secrets, *exec);
    if (missing.empty()) continue;
    return fail(at_step({ErrorKind::not_found,
                         "this step needs the secret \"" + base::printable(missing) + "\", which the job does not have",
                         fmt::format("give it with --secret {0}=VALUE (or --secret {0}, from the environment or asked "
                                     "for), with --secret-file {0}=FILE, or as a line {0}=VALUE in .secret",
                                     base::printable(missing)),
                         {},
                         {}},
                        step(id)));
  }
  return {};
}

Status Build::check_agent() const {
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    const auto* exec = std::get_if<graph::ExecOp>(&step(id).operation);
    if (exec == nullptr || !nodes_[id].wanted || nodes_[id].result) continue;
    if (lacks_agent(*exec, request_.client.get())) return fail(at_step(no_agent(), step(id)));
  }
  return {};
}

Status Build::check_platforms() const {
  std::set<std::string> run_here;
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    const auto* exec = std::get_if<graph::ExecOp>(&step(id).operation);
    if (exec == nullptr || exec->platform.empty() || !nodes_[id].wanted || nodes_[id].result) continue;
    if (run_here.contains(exec->platform)) continue;
    const auto interpreter = solver_.binfmt_.interpreter_for(base::platform_of(exec->platform));
    if (!interpreter) return fail(at_step(base::with_context(interpreter.error(), "in " + step(id).target), step(id)));
    run_here.insert(exec->platform);
  }
  return {};
}

}  // namespace ingot::solver
