#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "proto/error.h"

namespace ingot::earthfile {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// Gives a word its value: quotes go, `\` takes the next character literally, and `$X`, `${X}`, `${X:-d}`, `${X:+a}`,
// `${X:?m}`, `${X#p}`, `${X%s}` are replaced outside of single quotes. What is not set is "". `$(...)` is refused.
Result<std::string> expand(const std::string& word, const proto::Position& position, const Lookup& lookup);

}  // namespace ingot::earthfile
