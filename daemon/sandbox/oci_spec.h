#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/sandbox/sandbox.h"
#include "daemon/store/accounts.h"

namespace ingot::sandbox {

// Where the parts of a container lie that its specification names.
struct Bundle {
  fs::path directory;   // config.json, and the files that are bound over those in etc/
  std::string cgroup;   // /ingot-<instance>/<step>
  std::string network;  // path of a network namespace; empty: a new one, or none of its own (see StepSpec::network)
};

// config.json as the OCI runtime specification has it.
nlohmann::json make_spec(const StepSpec& step, const store::Account& account, const Bundle& bundle);

}  // namespace ingot::sandbox
