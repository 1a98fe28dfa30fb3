#pragma once

#include <map>
#include <string>

#include "daemon/base/platform.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// Whether the language itself gives the ARG of this name its value in a file of its version; nobody else may.
bool is_builtin(const std::string& name, const File& file);
// Whether git is asked for it.
bool asks_git(const std::string& name);

// What builtin arguments are made of.
struct BuiltinContext {
  std::string target;         // its name, without "+"
  std::string directory;      // of its Earthfile, in the project or the repository
  bool push = false;          // RUN --push is run
  bool locally = false;       // the recipe stands under LOCALLY
  bool names_author = false;  // EARTHLY_GIT_AUTHOR has the name in front of the address
  base::Platform target_platform = base::native_platform();
  base::Platform user_platform = base::native_platform();
  std::map<std::string, std::string> facts;  // as in git_facts.h, and others that the client knows
};

// "" for what nobody knows.
std::string builtin_value(const std::string& name, const BuiltinContext& context);

}  // namespace ingot::earthfile
