#pragma once

#include <string>
#include <vector>

#include "proto/sweep.h"

namespace ingot::client {

// A sweep as one page that needs nothing beside it: its grid, what failed, how long each cell took, and how size and
// time went over the sweeps before. `earlier`: of the same name, the latest first.
std::string html_report(const proto::Sweep& sweep, const std::vector<proto::Sweep>& earlier);

}  // namespace ingot::client
