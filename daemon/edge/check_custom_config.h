#pragma once

#include <string>
#include <string_view>

#include "daemon/edge/findings.h"

namespace ingot::edge {

// What is wrong with EDGE_CUSTOM_CONFIG, the file that says whose signatures on content a host believes: its YAML, its
// keys, and that its key is a public one of RSA, as PEM in base64.
Findings check_custom_config(std::string_view text, const std::string& file_name);

}  // namespace ingot::edge
