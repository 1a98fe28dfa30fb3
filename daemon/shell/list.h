#pragma once

#include <optional>
#include <string_view>

#include "daemon/shell/environment.h"

namespace ingot::shell {

// Whether `command && command || ...`, run by this shell in this environment, ends with exit code 0.
std::optional<bool> status_of_list(std::string_view text, Shell shell, const Environment& environment);

}  // namespace ingot::shell
