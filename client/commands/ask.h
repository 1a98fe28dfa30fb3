#pragma once

#include <string>

#include "daemon/base/result.h"

namespace ingot::client {

// Whether somebody can be asked.
bool can_ask();
// A line that is typed and not shown. Kind `canceled` for Ctrl-C.
Result<std::string> ask_unseen(const std::string& question);

}  // namespace ingot::client
