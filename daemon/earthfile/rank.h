#pragma once

#include <cstddef>
#include <vector>

namespace ingot::earthfile {

// Where something stands in the order in which one strand alone would come to it, see Strands.
using Rank = std::vector<std::size_t>;

}  // namespace ingot::earthfile
