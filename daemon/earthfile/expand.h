#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// The longest value of a variable: Linux takes no longer string into a process.
inline constexpr std::size_t kLongestValue = 128U << 10;

// Gives a word its value: quotes go, `\` takes the next character literally, and `$X`, `${X}`, `${X:-d}`, `${X:+a}`,
// `${X:?m}`, `${X#p}`, `${X%s}` are replaced outside of single quotes. What is not set is "". `$(...)` is refused.
Result<std::string> expand(const Word& word, const Lookup& lookup);

}  // namespace ingot::earthfile
