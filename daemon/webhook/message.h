#pragma once

#include <string>

#include "proto/sweep.h"

namespace ingot::webhook {

// What a hook gets of a sweep that ended: the sweep as the API has it, with the first hundred of its cells that are not
// green.
std::string message_of(const proto::Sweep& sweep);
// Of a schedule whose turn came to nothing.
std::string message_of_failure(const std::string& schedule, const std::string& problem);

}  // namespace ingot::webhook
