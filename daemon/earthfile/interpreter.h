#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/options.h"
#include "daemon/earthfile/scope.h"

namespace ingot::earthfile {

// Where a recipe has got to: its file system, and what the next command inherits.
struct Progress {
  std::optional<graph::StepId> step;
  Scope scope;
  std::string working_dir = "/";
  std::string user;
};

// Walks the commands of a target and of what it stands on, and writes steps into one graph.
class Interpreter {
 public:
  Interpreter(const File& file, const Request& request, Host& host);
  Result<Interpretation> run();

 private:
  // A recipe's commands one after another; `target` is "+name".
  struct Recipe {
    std::string target;
    bool is_base = false;
    bool is_requested = false;  // its artifacts are the job's
    const std::map<std::string, std::string>* overrides = nullptr;
    Progress progress;
  };

  Result<Progress> base_recipe();
  Result<Progress> target_recipe(const std::string& name, const proto::Position& from,
                                 const std::map<std::string, std::string>& overrides, bool is_requested);
  Status command(Recipe& recipe, const Command& command);

  // One function a command; interpret_commands.cpp.
  Status from(Recipe& recipe, const Command& command);
  Status run_command(Recipe& recipe, const Command& command);
  Status copy(Recipe& recipe, const Command& command);
  Status save_artifact(Recipe& recipe, const Command& command);
  Status working_directory(Recipe& recipe, const Command& command);
  Status user(Recipe& recipe, const Command& command);
  // interpret_variables.cpp
  Status arg(Recipe& recipe, const Command& command);
  Status let(Recipe& recipe, const Command& command);
  Status set(Recipe& recipe, const Command& command);
  Status env(Recipe& recipe, const Command& command);
  Result<std::string> arg_value(const Recipe& recipe, const Command& command, const std::string& name,
                                const std::optional<std::string>& fallback, bool required);
  std::optional<std::string> builtin(const Recipe& recipe, const std::string& name) const;

  Result<std::string> value_of(const Recipe& recipe, const Word& word) const;
  Lookup lookup(const Recipe& recipe) const;
  Result<graph::StepId> current_step(const Recipe& recipe, const Command& command) const;
  void add_step(Recipe& recipe, const Command& command, graph::Operation operation);
  bool own_scopes() const;  // ARG by the rules of arg-scope-and-set
  void warn_of_near_misses();

  const File& file_;
  const Request& request_;
  Host& host_;
  Interpretation result_;
  std::optional<Progress> base_;
  std::vector<std::string> under_way_;  // targets, outermost first: a cycle is found by it
  std::set<std::string> declared_;      // names of every ARG that was met
};

// An error at a command or word, of a user's making.
tl::unexpected<Error> fail_at(const proto::Position& position, ErrorKind kind, std::string message,
                              std::string hint = {});

}  // namespace ingot::earthfile
