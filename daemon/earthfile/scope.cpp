#include "daemon/earthfile/scope.h"

#include <algorithm>

namespace ingot::earthfile {

void set_variable(graph::Variables& variables, const std::string& name, const std::string& value) {
  auto found = std::find_if(variables.begin(), variables.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == variables.end())
    variables.emplace_back(name, value);
  else
    found->second = value;
}

std::optional<std::string> get_variable(const graph::Variables& variables, const std::string& name) {
  auto found = std::find_if(variables.begin(), variables.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == variables.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> Scope::find(const std::string& name) const {
  for (const auto* variables : {&lets, &args, &env, &globals}) {
    if (auto value = get_variable(*variables, name)) return value;
  }
  return std::nullopt;
}

graph::Variables Scope::all() const {
  graph::Variables merged = globals;
  for (const auto* variables : {&env, &args, &lets}) {
    for (const auto& [name, value] : *variables) set_variable(merged, name, value);
  }
  return merged;
}

}  // namespace ingot::earthfile
