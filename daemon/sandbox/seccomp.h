#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ingot::sandbox {

// The `linux.seccomp` section of a step: what Docker's users know. System calls are refused with EPERM unless they are
// in the list of those that a process without privileges needs; making namespaces, mounting, loading modules, keyrings,
// bpf, clocks and the like are not in it.
nlohmann::json seccomp_profile();

}  // namespace ingot::sandbox
