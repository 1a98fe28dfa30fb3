#pragma once

#include "daemon/earthfile/lint.h"

// The rules of lint(), each with the file of its name.
namespace ingot::earthfile {

class Findings {
 public:
  explicit Findings(std::vector<Finding>& list) : list_(list) {}
  void add(std::string rule, const Place& place, std::string message, std::string hint);

 private:
  std::vector<Finding>& list_;
};

// Every command of the recipe, those in blocks and the heads of ELSE IF and the like too.
void for_each_command(const std::vector<Command>& commands, const std::function<void(const Command&)>& visit);
// The same for the whole file.
void for_each_command(const File& file, const std::function<void(const Command&)>& visit);

void lint_args(const File& file, Findings& findings);
void lint_references(const File& file, const Surroundings& around, Findings& findings);
void lint_conditions(const File& file, Findings& findings);
void lint_copies(const File& file, const Surroundings& around, Findings& findings);
void lint_version(const File& file, Findings& findings);
void lint_platforms(const File& file, Findings& findings);

}  // namespace ingot::earthfile
