#pragma once

#include <string>

#include "daemon/sys/rooted.h"

namespace ingot::solver {

// The program that /bin/sh leads to in a file system. "" when there is none, and where a program called "[[" lies
// beside it: a shell that does not know the word would run that.
std::string shell_program_of(const sys::RootedDir& root);

}  // namespace ingot::solver
