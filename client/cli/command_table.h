#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/transport/daemon.h"
#include "daemon/base/result.h"

namespace ingot::client {

struct FlagInfo {
  std::string name;        // "--label"
  std::string short_name;  // "-l", or ""
  std::string value;       // what the help calls its value; "": the flag takes none
  std::string help;
  std::string choices{};        // the values it takes, with blanks between; "": any
  bool value_optional = false;  // it stands alone too; then its value is the empty text, and comes behind `=` only

  // As the help has it.
  std::string synopsis() const {
    if (value.empty()) return name;
    return value_optional ? name + "[=" + value + "]" : name + " " + value;
  }
};

// What the command line said, flags by their long name.
struct Invocation {
  std::string command;
  std::map<std::string, std::vector<std::string>> flags;
  std::vector<std::string> words;  // behind the flags

  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::string value(const std::string& flag, const std::string& fallback = {}) const {
    auto found = flags.find(flag);
    return found == flags.end() || found->second.empty() ? fallback : found->second.back();
  }
  std::vector<std::string> values(const std::string& flag) const {
    auto found = flags.find(flag);
    return found == flags.end() ? std::vector<std::string>{} : found->second;
  }
};

struct CommandInfo {
  std::string name;
  std::string synopsis;  // "[flags] +target [--NAME=value ...]"
  std::string summary;   // one line
  std::string details;   // further sentences for its own help; may be empty
  std::vector<FlagInfo> flags;
  bool words_begin_rest;  // everything behind the first word belongs to it: build's --NAME=value
  // Returns the exit code; an error is printed, and its kind gives the code.
  Result<int> (*run)(const Invocation& invocation);
};

// Every command, in the order of the help. The one table that the parser, --help, the completions, and the tests of the
// man page are made from.
const std::vector<CommandInfo>& command_table();
const CommandInfo* find_command(const std::string& name);
const std::vector<FlagInfo>& global_flags();

}  // namespace ingot::client
