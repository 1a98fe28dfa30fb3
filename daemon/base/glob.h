#pragma once

#include <string_view>

namespace ingot::base {

// Shell patterns as Dockerfiles and Earthfiles know them: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are one
// character, `\` takes the next one literally. A pattern that is malformed matches nothing.
bool glob_match(std::string_view pattern, std::string_view text);
bool has_glob(std::string_view text);  // whether any of it is a pattern

}  // namespace ingot::base
