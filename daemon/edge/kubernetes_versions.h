#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::edge {

// k8s_version.json: the versions of each distribution that a project has images of, in the file's order.
using KubernetesVersions = std::map<std::string, std::vector<std::string>>;

Result<KubernetesVersions> parse_kubernetes_versions(std::string_view text, const std::string& file_name);

}  // namespace ingot::edge
