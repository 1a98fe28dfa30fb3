#pragma once

#include <vector>

#include "proto/error.h"

namespace ingot::edge {

// What checks of a project's files come to.
struct Findings {
  std::vector<proto::Error> errors = {};
  std::vector<proto::Error> warnings = {};
};

}  // namespace ingot::edge
