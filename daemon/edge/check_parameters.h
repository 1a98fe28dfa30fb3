#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/edge/findings.h"
#include "daemon/edge/kubernetes_versions.h"
#include "proto/error.h"

// What is wrong with the parameters of an edge project, before anything is queued: each of these would cost a build, or
// make an artifact that nobody wanted.
namespace ingot::edge {

// A value, and where it was given: a line of `.arg`, or none for the command line.
struct Given {
  std::string value;
  std::optional<proto::Position> position = {};
};
using Parameters = std::map<std::string, Given>;

// What else is known of the project.
struct Surroundings {
  std::set<std::string> declared;              // ARGs of its Earthfiles
  std::optional<KubernetesVersions> versions;  // none: it has no k8s_version.json
  std::function<bool(const std::string& path)> has_file;
  bool makes_provider_images = false;  // what is built needs Kubernetes
};

// Whether Earthfiles with these ARGs make edge artifacts, so that the checks are for them.
bool is_edge_project(const std::set<std::string>& declared);
Findings check_parameters(const Parameters& given, const Surroundings& surroundings);

}  // namespace ingot::edge
