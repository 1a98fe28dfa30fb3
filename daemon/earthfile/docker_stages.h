#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/base/result.h"
#include "daemon/dockerfile/dockerfile.h"
#include "daemon/dockerfile/expand.h"
#include "daemon/earthfile/ast.h"
#include "daemon/earthfile/scope.h"
#include "daemon/graph/graph.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

// A file or a directory of the project, or of what a target saves.
struct DockerPath {
  std::optional<graph::StepId> step;  // none: the project
  std::string path;                   // in a step's file system absolute, else relative to the project
};

// What FROM DOCKERFILE says.
struct DockerRequest {
  DockerPath file;
  DockerPath context;
  std::map<std::string, std::string> build_args;
  std::string stage;                  // --target; empty: the last one
  std::vector<std::string> excluded;  // of the context, see graph::CopyOp
  std::string target;                 // "+name" of the Earthfile: its caches are called after it
  base::Platform platform = base::native_platform();
  Place place;
};

// What the stages need of the Earthfile's interpreter.
struct DockerTools {
  std::function<Result<graph::ImageConfig>(const std::string& reference, const base::Platform& platform,
                                           const Place& place)>
      image;
  // `platform` is that of the stage.
  std::function<Result<graph::StepId>(std::optional<graph::StepId> parent, graph::Operation operation,
                                      const base::Platform& platform, const std::string& text, const Place& place)>
      add;
  std::function<void(const Place& place, std::string message, std::string hint)> warn;
  // What takes time: so many instructions more, and so long a value. Fails when it is too much.
  std::function<Status(const Place& place, std::size_t instructions, std::size_t bytes)> count;
};

// Where a stage has got to. All that grows with the file is found by name at once.
struct DockerStage {
  std::optional<graph::StepId> step;
  base::Platform platform = base::native_platform();
  graph::ImageConfig image;  // less what is below
  VariableTable labels;
  VariableTable ports;    // as names
  VariableTable volumes;  // as names
  VariableTable env;
  VariableTable args;
  std::string working_dir = "/";
  std::string user;
  std::vector<std::string> shell = {"/bin/sh", "-c"};
  bool has_own_cmd = false;

  explicit DockerStage(graph::ImageConfig config = {});
  // All of it.
  graph::ImageConfig whole_image() const;
};

// Makes steps of the stages of a Dockerfile that the wanted one stands on.
class DockerStages {
 public:
  // All three must outlive it.
  DockerStages(const dockerfile::File& file, const DockerRequest& request, const DockerTools& tools);
  Result<DockerStage> build();

 private:
  using Instruction = dockerfile::Instruction;
  using Flag = dockerfile::Flag;

  // docker_stages.cpp
  Status declare_globals();
  void warn_of_unknown_args() const;
  Result<std::size_t> wanted_stage() const;
  Result<std::string> image_of(const dockerfile::Stage& stage) const;
  Result<base::Platform> platform_of(const dockerfile::Stage& stage) const;
  Result<std::vector<bool>> needed_stages(std::size_t wanted) const;
  // The stage above `own` that is called so, by its name or, where these count, its number.
  std::optional<std::size_t> find_stage(const std::string& name, std::size_t own, bool by_number) const;
  Result<DockerStage> begin(std::size_t index);
  Status instruction(DockerStage& stage, const Instruction& one);
  Result<std::string> value_of(const DockerStage& stage, const dockerfile::Word& word) const;
  dockerfile::Lookup lookup(const DockerStage& stage) const;
  Status check_size(const DockerStage& stage, const Place& place) const;
  Status add_step(DockerStage& stage, const Instruction& one, graph::Operation operation);
  Result<graph::StepId> add(std::optional<graph::StepId> parent, graph::Operation operation, const std::string& text,
                            const Place& place) const;
  // What --from names: the step of a stage or of an image.
  Result<graph::StepId> source_step(const std::string& name, const Instruction& one, const Place& place);

  // docker_variables.cpp
  Status arg(DockerStage& stage, const Instruction& one);
  Status env(DockerStage& stage, const Instruction& one);
  Status working_directory(DockerStage& stage, const Instruction& one);
  Status user(DockerStage& stage, const Instruction& one);
  // docker_run.cpp
  Status run(DockerStage& stage, const Instruction& one);
  Status add_mount(DockerStage& stage, const Instruction& one, const Flag& flag, graph::ExecOp& exec);
  Result<graph::StepId> mounted_step(const Instruction& one, const std::string& from, const std::string& source,
                                     const Place& place);
  // docker_copy.cpp
  Status copy(DockerStage& stage, const Instruction& one);
  Status set_copy_flags(DockerStage& stage, const Instruction& one, graph::CopyOp& op);
  Result<std::string> context_path(const std::string& source, const Instruction& one, const Place& place) const;
  Status unpack(DockerStage& stage, const Instruction& one, graph::CopyOp like, std::vector<std::string> archives);
  Status write_heredoc(DockerStage& stage, const Instruction& one, const dockerfile::Heredoc& heredoc,
                       const graph::CopyOp& like);
  // docker_image.cpp
  Status label(DockerStage& stage, const Instruction& one);
  Status expose(DockerStage& stage, const Instruction& one);
  Status volume(DockerStage& stage, const Instruction& one);
  Status healthcheck(DockerStage& stage, const Instruction& one);
  Status entrypoint(DockerStage& stage, const Instruction& one);
  Status cmd(DockerStage& stage, const Instruction& one);
  Status stop_signal(DockerStage& stage, const Instruction& one);

  const dockerfile::File& file_;
  const DockerRequest& request_;
  const DockerTools& tools_;
  std::map<std::string, std::vector<std::size_t>> by_name_;  // of stages: their numbers, in order
  VariableTable globals_;                                    // ARGs above the first FROM, and what platforms are called
  std::map<std::size_t, DockerStage> stages_;                // by number; those that were needed so far
  std::size_t current_ = 0;                                  // the stage that is being interpreted
  base::Platform platform_ = base::native_platform();        // of that stage
};

}  // namespace ingot::earthfile
