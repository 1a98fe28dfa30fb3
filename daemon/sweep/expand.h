#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/edge/kubernetes_versions.h"
#include "daemon/sweep/specification.h"

namespace ingot::sweep {

// One job of a sweep.
struct Cell {
  std::string name;  // what distinguishes it: "1.32.3 ubuntu", with its target where there are several
  std::string target;
  std::map<std::string, std::string> values;  // of the axes
  std::map<std::string, std::string> args;    // all that the file gives it
  std::uint64_t timeout_seconds = 0;
  int priority = 0;
};

// What is known of the project.
struct Project {
  std::set<std::string> declared;           // ARGs of its Earthfiles
  std::set<std::string> targets;            // "+name"
  edge::KubernetesVersions versions;        // of its k8s_version.json
  std::map<std::string, std::string> args;  // of its .arg
};

struct Expansion {
  std::vector<Cell> cells;
  edge::Findings findings;
};

// The cells in the order of the axes, the last of which changes first.
Expansion expand(const Specification& specification, const Project& project);

}  // namespace ingot::sweep
