#pragma once

#include <optional>
#include <string>

namespace ingot::earthfile {

// Whether the language itself gives the ARG of this name its value; nobody else may.
bool is_builtin(const std::string& name);

// What a builtin is in `target` ("+name"); none for those that ask git, which are not known yet.
std::optional<std::string> builtin_value(const std::string& name, const std::string& target);

// "linux/amd64": what this host builds for.
std::string native_platform();

}  // namespace ingot::earthfile
