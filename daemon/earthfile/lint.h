#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

// What a file says that is no error, and hardly what its author meant.
struct Finding {
  std::string rule;  // "unused-arg"
  Error error;       // kind `invalid`, with its position
};

// What lies beside the file. Each may be empty: then nothing is said that depends on it.
struct Surroundings {
  // The Earthfile of a directory, named as the file does ("./lib"); nullptr where there is none, or none that parses.
  std::function<const File*(const std::string& directory)> other;
  // Whether .earthlyignore keeps this path of the project from being sent.
  std::function<bool(const std::string& path)> ignored;
};

// In the order of the file.
std::vector<Finding> lint(const File& file, const Surroundings& around = {});

}  // namespace ingot::earthfile
