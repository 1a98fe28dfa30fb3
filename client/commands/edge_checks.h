#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "client/cli/command_table.h"
#include "daemon/base/result.h"
#include "daemon/edge/findings.h"

namespace ingot::client {

struct EdgeRequest {
  std::filesystem::path project;
  std::filesystem::path arg_file;
  std::set<std::string> declared;           // by an ARG of the project
  std::map<std::string, std::string> args;  // what all places together give; what `arg_file` gave has its line
  std::string target;
};

// What is wrong with the parameters and the user-data of an edge project, seen before anything is sent. Nothing, where
// the project makes no edge artifacts.
Result<edge::Findings> check_edge_project(const EdgeRequest& request);

// The same, told on standard error; kind `invalid` where there is an error, and with --strict for a warning too.
Status tell_edge_findings(const Invocation& invocation, const EdgeRequest& request);

}  // namespace ingot::client
