#pragma once

#include <string>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

// The same Earthfile in one form: every line indented by four columns for each recipe and block that it is in, lines
// that a backslash continues moved along with their first, no white space at ends of lines, and of blank lines in a row
// one. Nothing else changes: comments, line breaks and all that stands in quotes are as they were, and the tree is the
// same. All syntax errors at once where it does not parse.
tl::expected<std::string, std::vector<Error>> format(std::string_view text, const std::string& file_name);

}  // namespace ingot::earthfile
