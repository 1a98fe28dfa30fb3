#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace ingot::client {

// What a project's Earthfiles name that the client is asked about.
struct ProjectNames {
  std::set<std::string> hosts;    // of other repositories, as far as they are written without variables
  std::set<std::string> args;     // that an ARG declares, where somebody wants to know: of a project for edge hosts
  bool asks_builtins = false;     // an argument that git or the client tells
  bool may_work_locally = false;  // LOCALLY, or an Earthfile that only a variable names
  bool asks_platform = false;     // for which platform the client runs
  // An SSH agent may be of use: a flag, a URL, or what only the daemon sees, as Dockerfiles and other repositories.
  bool may_use_ssh = false;
};

// Looks at the Earthfile of the project and at those that it refers to in its directories. What cannot be read or
// parsed is passed over: the daemon says what is wrong with it.
ProjectNames look_at_project(const std::filesystem::path& project);
// That an ARG declares, of any project.
std::set<std::string> args_in_project(const std::filesystem::path& project);

}  // namespace ingot::client
