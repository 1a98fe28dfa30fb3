#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/graph_writer.h"
#include "daemon/earthfile/options.h"
#include "daemon/earthfile/scope.h"
#include "daemon/earthfile/units.h"
#include "daemon/shell/shell.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

using Overrides = std::map<std::string, std::string>;

// Where a recipe has got to: its file system, and what the next command inherits.
struct Progress {
  std::optional<graph::StepId> step;
  std::optional<graph::StepId> artifacts;  // a file system of what it saved so far, for those who COPY from it
  graph::ImageConfig image;                // what it says of its image; environment, directory and user are below
  bool has_own_cmd = false;
  std::vector<graph::Mount> caches;                        // that every RUN sees
  std::vector<std::pair<std::string, std::string>> hosts;  // that every RUN knows
  std::map<std::string, std::string> imports;              // what short names of other Earthfiles stand for
  Scope scope;
  std::string working_dir = "/";
  std::string user;
};

// One recipe being interpreted.
struct Frame {
  const Unit* unit = nullptr;  // whose commands these are: what it refers to is seen from there
  std::string context;         // the directory of the project that COPY takes files from
  std::string target;          // "+name"; a function's is its caller's
  bool is_base = false;
  bool is_requested = false;   // by the user
  bool gives_results = false;  // its local artifacts and its images are the job's: so with what it BUILDs
  Overrides overrides;         // of ARGs, by the user and by who refers to this target
  Progress progress;

  bool has(std::string_view feature) const { return unit->file.has(feature); }
};

// What "+name", "./directory+name" or "alias+name" means.
struct Reference {
  const Unit* unit = nullptr;
  std::string name;
};

// Walks the commands of a target and of what it stands on, and writes their steps into one graph.
class Interpreter {
 public:
  Interpreter(const File& file, const Request& request, Host& host);
  Result<Interpretation> run();

 private:
  // interpreter.cpp
  Result<Progress> base_recipe(const Unit& unit, const Overrides& overrides);
  Result<Progress> target_recipe(const Reference& target, const Place& from, const Overrides& overrides,
                                 bool gives_results);
  Result<Progress> requested_base();
  Result<Progress> interpret_recipe(Frame frame, const std::vector<Command>& commands);
  Status block(Frame& frame, const std::vector<Command>& commands);
  Result<const Recipe*> find_recipe(const Reference& target, const Place& from) const;
  bool may_remember(const Progress& progress);
  Status command(Frame& frame, const Command& command);
  Status check_command(const Frame& frame, const Command& command);
  Status count_commands(const Place& place, std::size_t commands, std::size_t bytes = 0);

  // One function a command. interpret_from.cpp
  Status from(Frame& frame, const Command& command);
  Status from_target(Frame& frame, const Word& word, const Reference& target, const Overrides& overrides);
  Result<graph::ImageConfig> image_config(const std::string& reference, const Place& from);
  Status from_image(Frame& frame, const Command& command, const Word& word, const std::string& reference);
  // interpret_dockerfile.cpp
  Status from_dockerfile(Frame& frame, const Command& command);
  Result<DockerRequest> docker_request(Frame& frame, const Command& command);
  Result<DockerPath> docker_path(Frame& frame, const Word& word, const std::string& text, const Options& options);
  Result<DockerPath> docker_artifact(Frame& frame, const Word& word, const std::string& text, const Options& options);
  Result<std::string> text_of_dockerfile(const DockerRequest& request);
  Result<std::vector<std::string>> ignored_in_context(const Frame& frame, const DockerRequest& request);
  // interpret_build.cpp
  Status build(Frame& frame, const Command& command);
  // interpret_reference.cpp
  Result<Reference> resolve(const Frame& frame, const Word& word, const std::string& text);
  Result<std::string> directory_of(const Frame& frame, const Word& word, const std::string& text) const;
  Result<std::pair<std::string, std::string>> override_of(Frame& frame, const Word& word);
  // What the recipe that is referred to is given: what this one was, as far as it is of the same Earthfile, and these.
  Result<Overrides> overrides_for(Frame& frame, const Reference& target, const Options& options,
                                  const std::vector<Word>& words);
  Status import(Frame& frame, const Command& command);
  // interpret_flow.cpp
  Status if_else(Frame& frame, const Command& command);
  Result<bool> holds(Frame& frame, const Command& branch);
  Status for_each(Frame& frame, const Command& command);
  Status wait(Frame& frame, const Command& command);
  // interpret_function.cpp
  Status call(Frame& frame, const Command& command);
  // interpret_question.cpp
  Status check_has_container(const Frame& frame, const Place& place) const;
  // What a condition that only looks at variables comes to, where that is certain.
  Result<std::optional<bool>> answered_here(Frame& frame, const graph::ExecOp& exec, const Place& place);
  Result<std::optional<shell::Shell>> shell_of(Frame& frame, const Place& place);
  tl::unexpected<Error> leave_open(const Place& place);
  Result<graph::Answer> ask(Frame& frame, graph::ExecOp exec, const std::string& text, const Place& place);
  Result<std::string> shell_out(Frame& frame, const std::string& command, const Place& place);
  // interpret_run.cpp
  Status run_command(Frame& frame, const Command& command);
  Result<graph::ExecOp> exec_of(Frame& frame, const Options& options);
  Status add_mount(Frame& frame, const Options::Value& option, graph::ExecOp& exec);
  Status cache(Frame& frame, const Command& command);
  Status host(Frame& frame, const Command& command);
  Status working_directory(Frame& frame, const Command& command);
  Status user(Frame& frame, const Command& command);
  // interpret_copy.cpp
  Status copy(Frame& frame, const Command& command);
  Status copy_artifact(Frame& frame, const Command& command, graph::CopyOp op, const Word& word,
                       const Options& options);
  Result<std::string> copy_source(Frame& frame, const Word& word);
  // interpret_save.cpp
  Status save_artifact(Frame& frame, const Command& command);
  Status offer_artifact(Frame& frame, const Command& command, const graph::SaveArtifact& save);
  // interpret_image.cpp
  Status save_image(Frame& frame, const Command& command);
  Status label(Frame& frame, const Command& command);
  Status entrypoint(Frame& frame, const Command& command);
  Status cmd(Frame& frame, const Command& command);
  Status expose(Frame& frame, const Command& command);
  Status volume(Frame& frame, const Command& command);
  Status healthcheck(Frame& frame, const Command& command);
  // interpret_variables.cpp
  Status arg(Frame& frame, const Command& command);
  Status let(Frame& frame, const Command& command);
  Status set(Frame& frame, const Command& command);
  Status env(Frame& frame, const Command& command);
  Result<std::string> arg_value(Frame& frame, const Word& name, const std::optional<Word>& fallback);
  Status store(Frame& frame, VariableTable& table, const Word& name, const std::string& value) const;

  // What words get their values from; the frame outlives it.
  Lookup lookup(Frame& frame);
  Result<std::string> value_of(Frame& frame, const Word& word);
  // Where the command's file system stands; a target that nothing precedes begins with an empty one.
  Result<graph::StepId> current_step(Frame& frame, const Command& command);
  Status add_step(Frame& frame, const Command& command, graph::Operation operation);
  Result<graph::StepId> add_step_to(Frame& frame, std::optional<graph::StepId> parent, graph::Operation operation,
                                    const std::string& text, const Place& place);
  void warn(const Place& place, std::string message, std::string hint = {});
  void warn_of_unknown_overrides();
  Status check_anew() const;
  void warn_of_idle_anew();

  const Request& request_;
  Host& host_;
  Units units_;
  GraphWriter graph_;
  std::vector<std::string> warnings_;
  std::vector<graph::StepId> wanted_;  // every step of the targets that give results
  std::optional<proto::Position> open_question_;
  std::map<std::pair<const Unit*, Overrides>, Progress> bases_;
  std::map<std::tuple<const Unit*, std::string, Overrides, bool>, Progress> targets_;
  std::vector<std::string> under_way_;  // recipes, outermost first: a cycle is found by it
  std::set<std::string> declared_;      // names of every ARG that was met
  std::set<std::string> anew_;          // of the request
  std::set<std::string> met_;           // targets that had a step
  std::size_t commands_ = 0;            // how many were interpreted, and what else took time
  std::size_t remembered_bytes_ = 0;    // of bases_ and targets_
};

// Kind `unsupported` for --platform with another than the host's.
Status check_platform(const Options& options);

}  // namespace ingot::earthfile
