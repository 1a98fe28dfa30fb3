#pragma once

#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "client/cli/command_table.h"
#include "daemon/earthfile/lint.h"

namespace ingot::client {

// What lint has to say of the recipes that a target is built from; of others it says nothing. It is found beside all
// else that a submission needs, on a thread of its own where there may be one, and told on standard error once that is
// there, each in a line.
class RecipeWarnings {
 public:
  // Nothing is looked for with --quiet, nor for a target of another repository. What cannot be read is the daemon's to
  // tell.
  RecipeWarnings(const Invocation& invocation, const std::filesystem::path& project, const std::string& target);
  // With --strict all of them, and any is kind `invalid`. Once; after that it does nothing.
  Status tell();

 private:
  const bool is_strict_;
  const std::string target_;
  std::future<std::vector<earthfile::Finding>> findings_;  // none: nobody wants them
};

}  // namespace ingot::client
