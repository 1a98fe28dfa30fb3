#pragma once

#include <string>

#include "daemon/base/platform.h"

namespace ingot::earthfile {

// A target as people are told of its steps: "+image", or "+image (linux/arm64)" where it is not for this host's own
// platform.
inline std::string shown_target(const std::string& target, const base::Platform& platform) {
  const std::string foreign = base::foreign_platform(platform);
  return foreign.empty() ? target : target + " (" + foreign + ")";
}

}  // namespace ingot::earthfile
