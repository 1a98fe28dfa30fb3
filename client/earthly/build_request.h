#pragma once

#include "client/cli/command_table.h"
#include "client/earthly/command_line.h"

namespace ingot::client::earthly {

// A build as the client's own `build` takes it, and what is done with what it made.
struct BuildRequest {
  enum class Form { target, artifact, image };
  Form form = Form::target;
  Invocation invocation;      // of `ingot build`
  std::string target;         // "+name"
  std::string artifact;       // the path within the target's artifacts, with its pattern; of the artifact form
  std::string destination;    // of the artifact form
  bool writes_output = true;  // of the target form: AS LOCAL and images
};

Result<BuildRequest> build_request(const CommandLine& line);

}  // namespace ingot::client::earthly
