#pragma once

#include <string>
#include <vector>

#include "client/cli/command_table.h"

namespace ingot::client {

// The command line by the table. Errors are kind `usage`, with the nearest flag or command.
Result<Invocation> parse_arguments(const std::vector<std::string>& arguments);

}  // namespace ingot::client
