#pragma once

#include <filesystem>
#include <string>

namespace ingot::test {

// A program of this host with all that it is linked with, below `root`, as bin/NAME.
void copy_program(const std::string& name, const std::filesystem::path& root);

}  // namespace ingot::test
