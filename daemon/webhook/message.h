#pragma once

#include <string>

#include "proto/sweep.h"

namespace ingot::webhook {

// What a hook gets of a sweep that ended: the sweep as the API has it, without the cells that are green.
std::string message_of(const proto::Sweep& sweep);

}  // namespace ingot::webhook
