#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "daemon/sys/process.h"
#include "proto/secrets.h"

// What the user's own git knows.
namespace ingot::client {

struct GitBuiltins {
  std::map<std::string, std::string> values;  // of builtin arguments, by their names
  std::string warning;                        // why there are none; "" where nobody expects any
};

// Of the repository that has the project directory; none when there is none.
GitBuiltins git_builtins(const std::filesystem::path& project, sys::ProcessRunner& processes);

// What `git credential fill` gives for https and these hosts, without asking anybody; as secrets of a job.
proto::Secrets git_credentials(const std::set<std::string>& hosts, const std::filesystem::path& project,
                               sys::ProcessRunner& processes);

}  // namespace ingot::client
