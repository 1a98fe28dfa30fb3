#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "proto/types.h"

namespace ingot::client {

// The artifacts of a job that the words name, by name or number; no word means all.
Result<std::vector<proto::Artifact>> select_artifacts(const std::vector<proto::Artifact>& all,
                                                      const std::vector<std::string>& wanted, const std::string& job);

}  // namespace ingot::client
