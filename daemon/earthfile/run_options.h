#pragma once

#include <vector>

#include "daemon/earthfile/options.h"

namespace ingot::earthfile {

// The flags of RUN, and those of IF and FOR, which run something too.
const std::vector<OptionInfo>& run_options();
const std::vector<OptionInfo>& question_options();

}  // namespace ingot::earthfile
