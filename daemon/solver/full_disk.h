#pragma once

#include <filesystem>

#include "daemon/base/result.h"

namespace ingot::solver {

// A command that finds no room on the disk says so in its own words, or not at all. When there is next to none left on
// the file system of `directory`, the error of a command that failed says it too.
Error with_full_disk(Error error, const std::filesystem::path& directory);

}  // namespace ingot::solver
