#pragma once

#include "client/earthly/command_line.h"

// ls, doc, prune, init, debug and help, as Earthly has them. They print to standard output.
namespace ingot::client::earthly {

Status list_targets(const CommandLine& line);
Status document(const CommandLine& line);
Status prune(const CommandLine& line);
Status init();
Status debug(const CommandLine& line);
void help();

}  // namespace ingot::client::earthly
