#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/sandbox/sandbox.h"
#include "daemon/store/accounts.h"

namespace ingot::sandbox {

// What a container's specification says of the host and not of the step.
struct Bundle {
  fs::path directory;       // config.json, resolv.conf and hosts
  std::string cgroup;       // /ingot-<instance>/<step>
  std::string network;      // path of a network namespace; empty: a new one, or none of its own (see StepSpec::network)
  bool counts_swap = true;  // the kernel can; asked to where it cannot, the runtime fails

  // Where the step's secret of this number lies.
  fs::path secret_file(std::size_t number) const { return directory / ("secret-" + std::to_string(number)); }
  fs::path socket(std::size_t number) const { return directory / ("socket-" + std::to_string(number)); }
};

// config.json as the OCI runtime specification has it.
nlohmann::json make_spec(const StepSpec& step, const store::Account& account, const Bundle& bundle);

}  // namespace ingot::sandbox
