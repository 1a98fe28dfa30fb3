#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/earthfile/expand.h"

namespace ingot::earthfile {

// What `echo` prints of words in which every shell sees nothing but words and variables; none when there is more to
// them: then a shell has to be asked.
std::optional<std::string> plain_words(const std::string& words, const Lookup::Variable& variable);

// The parts between any of these characters, empty ones left out.
std::vector<std::string> split_at_any(const std::string& text, const std::string& separators);

}  // namespace ingot::earthfile
