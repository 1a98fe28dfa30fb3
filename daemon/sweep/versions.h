#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::sweep {

// Versions as numbers compare, so that 1.9 is below 1.10; what is behind the numbers comes before nothing.
bool is_older(const std::string& a, const std::string& b);

// Those of `known` that are meant by "all", "latest", "latest 3", "latest 3 minors", "1.32.x", "1.30.x - 1.32.4" or a
// version, the oldest first; kind `invalid` where there is none, with what there is. `whose`: such as "k3s".
Result<std::vector<std::string>> select_versions(const std::string& wanted, std::vector<std::string> known,
                                                 const std::string& whose);

}  // namespace ingot::sweep
