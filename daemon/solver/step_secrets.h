#pragma once

#include <set>
#include <string>

#include "daemon/graph/graph.h"
#include "daemon/sandbox/sandbox.h"
#include "proto/secrets.h"

namespace ingot::solver {

// Gives the step what it asks for of a build's secrets, as files and as variables.
Status give_secrets(const proto::Secrets& secrets, const graph::ExecOp& op, sandbox::StepSpec& spec);

// The first id that the step cannot do without and that the secrets lack; "": none.
std::string missing_secret(const proto::Secrets& secrets, const graph::ExecOp& op);

// The first id that the step asks for, required or not, and that is one of `lost`; "": none.
std::string lost_secret(const std::set<std::string>& lost, const graph::ExecOp& op);

// Tells apart the values of what the step asks for, and says nothing else of them: made with a key that this process
// alone has. "" for a step that asks for none.
std::string fingerprint_of(const proto::Secrets& secrets, const graph::ExecOp& op);

}  // namespace ingot::solver
