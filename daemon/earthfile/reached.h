#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "daemon/earthfile/lint.h"

namespace ingot::earthfile {

// A reference as far as its text tells: "+t", "./lib+t", "(./lib+t/file", "--load=name=lib+t".
struct Written {
  std::string where;  // "", "./lib", "lib"
  std::string name;
};
// Those of one command; not of IMPORT, which names no targets, nor of the commands in it.
std::vector<Written> written_in(const Command& command);

// What of an Earthfile a target is built from: its base recipe, and these.
struct ReachedFile {
  std::string directory;  // of the project: "" or "a/b"
  const File* file = nullptr;
  std::set<const Recipe*> recipes;  // targets and functions
};

// The Earthfile of a directory of the project; nullptr where there is none, or none that parses.
using FileOf = std::function<const File*(const std::string& directory)>;

// All that a target ("+name") of the project's own Earthfile may be built from, as far as it is referred to without
// variables and in the project. The project's own comes first, if there is one.
std::vector<ReachedFile> reached(const std::string& target, const FileOf& file_of);

// Of what lint says of a file that which stands in what is reached.
std::vector<Finding> within(const ReachedFile& reached, std::vector<Finding> findings);

}  // namespace ingot::earthfile
