#pragma once

#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// Nests the commands of one recipe: what stands between IF, FOR, WAIT, TRY or WITH DOCKER and its END belongs to it.
class TreeBuilder {
 public:
  // Errors are appended to `errors`, which must outlive the builder.
  explicit TreeBuilder(std::vector<Error>& errors) : errors_(errors) {}

  void add(Command command);
  // Ends the recipe; the builder is ready for the next one.
  std::vector<Command> finish();

 private:
  std::vector<Command>& innermost();
  void open(Command command);
  void continue_block(Command command);
  void close(const Command& end);

  std::vector<Error>& errors_;
  std::vector<Command> done_;
  std::vector<Command> open_;  // blocks without their END so far, outermost first
  std::size_t too_deep_ = 0;   // blocks left out since they are nested too deep
};

}  // namespace ingot::earthfile
