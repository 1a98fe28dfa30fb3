#pragma once

#include <string>
#include <string_view>

namespace ingot::client {

// How `after` differs from `before`, line by line, as `diff -u` shows it; "" where they are equal.
std::string text_diff(std::string_view before, std::string_view after, const std::string& name);

}  // namespace ingot::client
