#pragma once

#include <string>
#include <vector>

#include "proto/error.h"

namespace ingot::earthfile {

// One command as written. The interpreter gives its words their meaning.
struct Command {
  std::string name;  // "RUN", "SAVE ARTIFACT"
  std::vector<std::string> words;
  std::string text;  // name and arguments as written, continuations joined
  proto::Position position;
};

struct Target {
  std::string name;
  std::string doc;  // the comment right above it
  std::vector<Command> commands;
  proto::Position position;
};

struct File {
  std::string name;
  std::string version;                // "0.8"
  std::vector<std::string> features;  // flags of VERSION, without "--"
  std::vector<Command> base;          // the base recipe
  std::vector<Target> targets;
};

}  // namespace ingot::earthfile
