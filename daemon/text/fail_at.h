#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/text/source.h"

namespace ingot::text {

// An error at a place, of a user's making.
tl::unexpected<Error> fail_at(const Place& place, ErrorKind kind, std::string message, std::string hint = {});

// Several as one: the first, and the others told with it.
Error joined(std::vector<Error> errors);

}  // namespace ingot::text
