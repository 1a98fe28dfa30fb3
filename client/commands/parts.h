#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/command_table.h"
#include "client/transport/daemon.h"

// Commands whose first word says what is done, such as `sweep ls`.
namespace ingot::client {

struct Part {
  std::string_view name;
  Result<int> (*run)(const Invocation&, Daemon&);
};

// The one that the first word names; kind `usage` where there is none.
Result<int> run_part(const Invocation& invocation, const std::vector<Part>& parts);

// A word behind the part's name; kind `usage` where it is missing, `what` being what the part needs.
Result<std::string> word_of_part(const Invocation& invocation, std::size_t index, const std::string& what);

}  // namespace ingot::client
