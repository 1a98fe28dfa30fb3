#pragma once

#include <string>

#include "daemon/base/result.h"

namespace ingot::client {

// The completion script for bash, zsh or fish, made from the command table. Targets and job ids are asked of
// `ingot __complete` when the key is pressed.
Result<std::string> completion_script(const std::string& shell);

}  // namespace ingot::client
