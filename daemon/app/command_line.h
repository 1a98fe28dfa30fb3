#pragma once

#include <optional>
#include <string>

#include "daemon/app/config.h"
#include "daemon/app/fsck.h"

namespace ingot::app {

struct CommandLine {
  ConfigSources sources;
  bool check_config = false;
  std::optional<FsckDepth> fsck;
};

// What the arguments and the environment say. `exit_code` set: the text was for a person (--help, --version, a
// mistake), and the program ends with that code.
struct ParsedCommandLine {
  CommandLine command_line;
  std::optional<int> exit_code;
  std::string text;
};
ParsedCommandLine parse_command_line(int argc, char** argv);

std::string help_text();

}  // namespace ingot::app
