#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::earthfile {

// Every command of the language, also those that this version of Ingot refuses by name.
struct CommandInfo {
  std::string_view name;
  bool interpreted;          // false: known, and refused with `instead`
  std::string_view instead;  // what a user can do meanwhile, or why the language itself rejects it
};
const std::vector<CommandInfo>& commands();
const CommandInfo* find_command(std::string_view name);
std::vector<std::string> command_names();

// Flags that VERSION may carry, without "--".
const std::vector<std::string>& version_features();

}  // namespace ingot::earthfile
