#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "client/cli/command_table.h"
#include "daemon/base/result.h"
#include "daemon/edge/findings.h"

namespace ingot::client {

// What is wrong with the parameters and the user-data of an edge project, seen before anything is sent. `args` is what
// all places together give; a value that `.arg` gave has its line. Nothing, where the project makes no edge artifacts.
Result<edge::Findings> check_edge_project(const std::filesystem::path& project, const std::filesystem::path& arg_file,
                                          const std::map<std::string, std::string>& args, const std::string& target);

// The same, told on standard error; kind `invalid` where there is an error, and with --strict for a warning too.
Status tell_edge_findings(const Invocation& invocation, const std::filesystem::path& project,
                          const std::map<std::string, std::string>& args, const std::string& target);

}  // namespace ingot::client
