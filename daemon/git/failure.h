#pragma once

#include <string>

#include "daemon/git/rules.h"

namespace ingot::git {

// From git's own words, in English, to an error with a cure. `doing`: "cannot look at", "cannot fetch".
Error failure(const std::string& doing, const Location& location, const std::string& words, bool had_credentials);

}  // namespace ingot::git
