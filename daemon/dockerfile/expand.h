#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/dockerfile/ast.h"

namespace ingot::dockerfile {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// The longest value of a variable: Linux takes no longer string into a process.
inline constexpr std::size_t kLongestValue = 128U << 10;

// Gives a word its value: quotes go, the escape character takes the next one literally, and `$X`, `${X}`, `${X:-d}`,
// `${X:+a}`, `${X:?m}`, their forms without colon, `${X#p}` and `${X%p}` are replaced outside of single quotes. What
// is not set is "".
Result<std::string> expand(const Word& word, char escape, const Lookup& lookup);

// The same of a heredoc's lines, in which quotes are only characters; as long as a file may be.
Result<std::string> expand_lines(const Heredoc& heredoc, char escape, const Lookup& lookup);

}  // namespace ingot::dockerfile
