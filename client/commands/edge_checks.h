#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "client/cli/command_table.h"
#include "daemon/base/result.h"
#include "daemon/edge/check_parameters.h"
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
// the project makes no edge artifacts. What its files say is read once, for however many builds.
class EdgeProject {
 public:
  EdgeProject(std::filesystem::path project, const std::filesystem::path& arg_file, std::set<std::string> declared);
  EdgeProject(const EdgeProject&) = delete;  // what its checks ask for files with refers to it
  EdgeProject& operator=(const EdgeProject&) = delete;
  Result<edge::Findings> check(const std::map<std::string, std::string>& args, const std::string& target);

 private:
  edge::Parameters with_lines(const std::map<std::string, std::string>& args) const;
  const edge::Findings& findings_of(const std::string& file);

  const std::filesystem::path project_;
  edge::Surroundings surroundings_;
  std::optional<Error> broken_;  // k8s_version.json
  edge::Parameters arg_file_;
  std::map<std::string, std::optional<edge::Findings>> files_;  // by their name; none: there is no such file
};

// The same, told on standard error; kind `invalid` where there is an error, and with --strict for a warning too.
Status tell_edge_findings(const Invocation& invocation, const EdgeRequest& request);

}  // namespace ingot::client
