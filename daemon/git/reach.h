#pragma once

#include "daemon/git/rules.h"

namespace ingot::git {

// The daemon fetches over the network of its host, from where more is in reach than steps may reach: kind `denied` for
// what is on that host itself or on its link, unless a rule of the configuration gives the URL. May take as long as
// name servers do; what they do not know is git's to tell.
Status check_reach(const Location& location);

}  // namespace ingot::git
