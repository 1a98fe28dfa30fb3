#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proto/sweep.h"

namespace ingot::client {

// A sweep's cells in two directions: the axis with the most values down, the others across.
struct SweepTable {
  std::vector<std::string> down;  // in the order of the cells
  std::vector<std::string> across;
  std::map<std::pair<std::string, std::string>, const proto::SweepCell*> cells;  // by both; of the sweep
};

SweepTable table_of(const proto::Sweep& sweep);

}  // namespace ingot::client
