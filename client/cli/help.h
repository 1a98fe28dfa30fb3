#pragma once

#include <string>

#include "client/cli/command_table.h"

namespace ingot::client {

std::string overview_help();
std::string command_help(const CommandInfo& command);

}  // namespace ingot::client
