#pragma once

#include <string>
#include <vector>

#include "proto/error.h"

namespace ingot::earthfile {

// A word as written, quotes and all. The interpreter gives it its meaning.
struct Word {
  std::string text;
  proto::Position position;
};

// One command as written.
struct Command {
  std::string name;         // "RUN", "SAVE ARTIFACT"
  std::vector<Word> words;  // what follows the name
  std::string arguments;    // the same as one text, its inner spaces kept
  proto::Position position;

  std::string text() const { return arguments.empty() ? name : name + " " + arguments; }
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

  bool at_least(int minor) const { return version.size() == 3 && version[2] - '0' >= minor; }
  bool has_feature(const std::string& feature) const;
};

}  // namespace ingot::earthfile
