#include "daemon/base/strings.h"
#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/paths.h"

// ARG, ENV, WORKDIR, USER of a Dockerfile.
namespace ingot::earthfile {

// All values of an instruction are those that held before it.
Status DockerStages::arg(DockerStage& stage, const Instruction& one) {
  graph::Variables args;
  for (const auto& pair : one.pairs) {
    INGOT_TRY(auto name, value_of(stage, pair.name));
    if (auto given = request_.build_args.find(name); given != request_.build_args.end()) {
      args.emplace_back(name, given->second);
    } else if (pair.value) {
      INGOT_TRY(auto value, value_of(stage, *pair.value));
      args.emplace_back(name, std::move(value));
    } else if (const std::string* global = globals_.find(name)) {
      args.emplace_back(name, *global);
    }
  }
  for (const auto& [name, value] : args) stage.args.set(name, value);
  return check_size(stage, one.place);
}

Status DockerStages::env(DockerStage& stage, const Instruction& one) {
  graph::Variables env;
  for (const auto& pair : one.pairs) {
    INGOT_TRY(auto name, value_of(stage, pair.name));
    INGOT_TRY(auto value, value_of(stage, *pair.value));
    if (name.empty())
      return fail_at(pair.name.place, ErrorKind::invalid, "ENV: this name is empty here",
                     "give the variable a value, by ARG or ENV above it");
    env.emplace_back(std::move(name), std::move(value));
  }
  for (const auto& [name, value] : env) stage.env.set(name, value);
  return check_size(stage, one.place);
}

Status DockerStages::working_directory(DockerStage& stage, const Instruction& one) {
  INGOT_TRY(auto path, value_of(stage, one.arguments));
  stage.working_dir = absolute(stage.working_dir, path);
  return add_step(stage, one, graph::MakeDirectoryOp{stage.working_dir});
}

Status DockerStages::user(DockerStage& stage, const Instruction& one) {
  INGOT_TRY(auto name, value_of(stage, one.words.front()));
  if (name.empty()) {
    return fail_at(one.words.front().place, ErrorKind::invalid,
                   "USER " + one.words.front().text + ": this is empty here", "give the variable a value");
  }
  stage.user = std::move(name);
  return {};
}

}  // namespace ingot::earthfile
