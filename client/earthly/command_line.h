#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::client::earthly {

// What a command line of Earthly's says, with what its environment and the `.env` beside it say of the same flags.
struct CommandLine {
  std::string command;                                    // "build" where a target stands, else "ls" and the like
  std::map<std::string, std::vector<std::string>> flags;  // by long name, without dashes; what is off is not there
  std::vector<std::string> words;                         // a target and what follows it, or those of the command
  std::vector<std::string> warnings;                      // of what has no meaning here

  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::vector<std::string> values(const std::string& flag) const {
    const auto found = flags.find(flag);
    return found == flags.end() ? std::vector<std::string>{} : found->second;
  }
  std::string value(const std::string& flag) const {
    const auto all = values(flag);
    return all.empty() ? "" : all.back();
  }
};

struct World {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // The text of a file; kind `not_found` when it is not there.
  std::function<Result<std::string>(const std::string& path)> file;
};

// The command line wins over the environment, and that over `.env`, of which only names of flags' variables are read.
Result<CommandLine> read_command_line(const std::vector<std::string>& arguments, const World& world);

}  // namespace ingot::client::earthly
