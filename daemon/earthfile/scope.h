#pragma once

#include <map>
#include <optional>
#include <string>

#include "daemon/graph/graph.h"

namespace ingot::earthfile {

// Sets the value under `name`, at its old place when it has one.
void set_variable(graph::Variables& variables, const std::string& name, const std::string& value);
std::optional<std::string> get_variable(const graph::Variables& variables, const std::string& name);

// The variables that one recipe sees. Looked up in this order: LET, ARG, ENV (the base image's too), globals.
struct Scope {
  graph::Variables lets;
  graph::Variables args;
  graph::Variables env;
  graph::Variables globals;

  std::optional<std::string> find(const std::string& name) const;
  // All of them, as a step's environment.
  graph::Variables all() const;
};

}  // namespace ingot::earthfile
