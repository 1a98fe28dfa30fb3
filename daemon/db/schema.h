#pragma once

#include <string_view>
#include <vector>

namespace ingot::db {

// Migration N brings a database of version N-1 to version N (PRAGMA user_version). Never edit one that was
// released: append.
const std::vector<std::string_view>& migrations();

}  // namespace ingot::db
