#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/dockerfile/ast.h"

// From the text of a Dockerfile to a tree. Pure; what the instructions do is for the interpreter to know.
namespace ingot::dockerfile {

// All syntax errors of the file at once, as far as there are not too many; never empty on failure.
tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name);

}  // namespace ingot::dockerfile
