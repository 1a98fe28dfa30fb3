#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ingot::dockerfile {

// How much of the text's beginning the pattern takes, `*` and `?` meaning any characters: the least, or the most that
// it can; none when it does not match. `from_the_end` looks at the end of the text instead.
std::optional<std::size_t> matched_length(std::string_view pattern, std::string_view text, bool most,
                                          bool from_the_end);

}  // namespace ingot::dockerfile
