#pragma once

#include <string_view>
#include <vector>

#include "daemon/shell/comparison.h"
#include "daemon/shell/expansion.h"

// Matching as far as all libraries that shells use agree on it.
namespace ingot::shell {

// Whether `pattern` has a character that makes it more than text to some shell.
bool has_wildcards(std::string_view pattern);

// The right side of `==` in bash's `[[`: what is quoted is text; `*` and `?`, but no brackets.
Outcome matches_pattern(std::string_view text, const std::vector<Run>& pattern);

// The right side of `=~`, an extended regular expression of a kind that has one reading only. What is quoted is text.
// `plain_order`: ranges are those of ASCII.
Outcome matches_regex(std::string_view text, const std::vector<Run>& regex, bool plain_order);

}  // namespace ingot::shell
