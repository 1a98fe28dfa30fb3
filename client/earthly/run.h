#pragma once

#include <string_view>

// The client called as `earthly`: Earthly's command line, log and exit codes, for Makefiles and CI files that have
// them.
namespace ingot::client::earthly {

// Whether a program that was started by this name is meant to be Earthly.
bool is_called(std::string_view program);
// 0, 1 for whatever went wrong, or 130 for what was interrupted.
int run(int argc, char** argv);

}  // namespace ingot::client::earthly
