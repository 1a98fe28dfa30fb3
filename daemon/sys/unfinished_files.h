#pragma once

#include <filesystem>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::sys {

// How the name of a file begins that an AtomicFile writes and has not given its own name yet.
inline constexpr std::string_view kUnfinishedPrefix = ".ingot-new-";

// Removes what a program left that died in the midst of writing an AtomicFile. Only for a directory that nobody else
// writes to.
Status remove_unfinished_files(const std::filesystem::path& directory);

}  // namespace ingot::sys
