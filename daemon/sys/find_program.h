#pragma once

#include <string>

#include "daemon/base/result.h"

namespace ingot::sys {

// The path of the program that a command names: itself when it has a slash, else the first executable file on PATH,
// and then in the sbin directories, which an unprivileged PATH leaves out. Kind `unsupported` when there is none.
Result<std::string> find_program(const std::string& name);

}  // namespace ingot::sys
