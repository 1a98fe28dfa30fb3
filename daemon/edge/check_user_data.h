#pragma once

#include <string>
#include <string_view>

#include "daemon/edge/findings.h"

namespace ingot::edge {

// What is wrong with user-data: its header, its YAML, its keys and values; each with its line and column. A misspelt
// key is an error, one that is merely not known a warning.
Findings check_user_data(std::string_view text, const std::string& file_name);

}  // namespace ingot::edge
