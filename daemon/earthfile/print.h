#pragma once

#include <string>

#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// The text of a tree: a line for each command, in the order of the file. To parse it gives the same tree. Comments that
// belong to nothing are not in the tree, and so not in the text.
std::string print(const File& file);

// Whether two trees say the same, wherever their words stand.
bool same_tree(const File& a, const File& b);

}  // namespace ingot::earthfile
