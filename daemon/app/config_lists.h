#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/app/config.h"

namespace YAML {
class Node;
}

namespace ingot::app {

// Tells what is wrong with a node of the configuration, where it stands.
using Complain = std::function<void(const YAML::Node& node, std::string message, std::string hint)>;

// A key whose value is a list of rows, each a map of options. What is complained of is not taken.
struct ConfigList {
  std::string name;
  std::string flag;
  std::string environment;
  std::string help;
  std::function<void(Config&, const YAML::Node& list, const Complain&)> read;
};

// As config_keys() is for single values. All can be reloaded.
const std::vector<ConfigList>& config_lists();

}  // namespace ingot::app
