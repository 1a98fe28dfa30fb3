#pragma once

#include <string>

#include "daemon/base/platform.h"
#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Of scratch there is one for all platforms: what has no programs is for none.
inline graph::ImageOp image_op(const std::string& reference, const base::Platform& platform) {
  return {reference, reference == "scratch" ? "" : base::foreign_platform(platform)};
}

}  // namespace ingot::earthfile
