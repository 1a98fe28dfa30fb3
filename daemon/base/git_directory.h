#pragma once

#include <string_view>

namespace ingot::base {

// Whether a part of the path is ".git", however it is written: git runs what lies there.
bool leads_into_git(std::string_view path);

}  // namespace ingot::base
