#pragma once

#include <string>
#include <string_view>

namespace ingot::client {

// Text of others in XML and HTML, between quotes too. No form of either has other control characters.
std::string escape_markup(std::string_view text);

}  // namespace ingot::client
