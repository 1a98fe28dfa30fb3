#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/earthfile/earthfile.h"

namespace ingot::earthfile {

// An Earthfile, and the directory of the project that it is in.
struct Unit {
  std::string directory;  // "" for the project's own, else "a/b"
  File file;

  // As people refer to it: "+name" or "./a/b+name".
  std::string full_name(const std::string& name) const {
    return (directory.empty() ? "+" : "./" + directory + "+") + name;
  }
};

// The Earthfiles of a project, each read once, when the first refers to it.
class Units {
 public:
  Units(const File& first, Host& host);

  const Unit& first() const { return *units_.at(""); }
  // All errors of the file's syntax in one, if it has any. `from`: who refers to it.
  Result<const Unit*> in(const std::string& directory, const Place& from);

 private:
  Host& host_;
  std::map<std::string, std::unique_ptr<const Unit>> units_;
};

}  // namespace ingot::earthfile
