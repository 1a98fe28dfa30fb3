#include "daemon/solver/parts.h"

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/store/context_copy.h"

namespace ingot::solver {

namespace {

std::string brief(const std::string& value) {
  return base::Digest::of(value).hex().substr(0, 16);
}

// What a step is called in the parts of those that stand on it.
std::string name_of(const graph::Step& step) {
  constexpr std::size_t kEnough = 60;
  return "(" + step.target + " " + step.text.substr(0, kEnough) + ")";
}

void add(Parts& parts, const graph::ExecOp& op) {
  parts["the command"] = brief(op.command);
  parts["the working directory"] = brief(op.working_dir);
  parts["the user"] = brief(op.user);
  for (const auto& [name, value] : op.env) parts["$" + name] = brief(value);
  if (!op.platform.empty()) parts["the platform"] = brief(op.platform);
  std::string mounts = op.no_network ? "no network" : "";
  for (const auto& mount : op.mounts) {
    mounts += " " + mount.target + " " + mount.id + " " + mount.source;
    for (const auto& number : {mount.mode, mount.uid, mount.gid}) mounts += number ? " " + std::to_string(*number) : "";
  }
  if (!mounts.empty()) parts["the mounts"] = brief(mounts);
  std::string secrets;  // what they are called; their values are nobody's to compare
  for (const auto& secret : op.secrets) secrets += secret.name + "=" + secret.id + "\n";
  if (!secrets.empty()) parts["the secrets"] = brief(secrets);
}

void add(Parts& parts, const graph::CopyOp& op, const store::ContextTree& context) {
  parts["the destination"] = brief(op.destination + (op.destination_is_directory ? "/" : ""));
  parts["the sources"] = brief(base::join(op.sources, "\n"));
  std::string flags = op.chown + (op.chmod ? " " + std::to_string(*op.chmod) : "");
  for (const bool flag : {op.dir, op.if_exists, op.keep_ts, op.keep_own, op.symlink_no_follow})
    flags += flag ? "1" : "0";
  parts["the flags"] = brief(flags);
  if (!op.excluded.empty()) parts["what is left out"] = brief(base::join(op.excluded, "\n"));
  if (op.from) return;
  constexpr std::size_t kMostFiles = 1000;
  const auto files = store::selected_files(op, context);
  if (files.size() > kMostFiles) {
    std::string all;
    for (const auto& [path, content] : files) all += path + content + "\n";
    parts["the files"] = brief(all);
    return;
  }
  for (const auto& [path, content] : files) parts["file " + path] = brief(content);
}

void add(Parts& parts, const graph::WriteFileOp& op) {
  parts["the destination"] = brief(op.destination + (op.destination_is_directory ? "/" : ""));
  parts["the flags"] = brief(op.chown + " " + std::to_string(op.mode));
  parts["file " + op.name] = brief(op.content);
}

}  // namespace

Parts parts_of(const graph::Graph& graph, graph::StepId id, const std::vector<StepKey>& keys,
               const store::ContextTree& context) {
  Parts parts;
  const graph::Step& step = graph.steps.at(id);
  if (const auto* exec = std::get_if<graph::ExecOp>(&step.operation)) add(parts, *exec);
  if (const auto* copy = std::get_if<graph::CopyOp>(&step.operation)) add(parts, *copy, context);
  if (const auto* make = std::get_if<graph::MakeDirectoryOp>(&step.operation))
    parts["the directory"] = brief(make->path);
  if (const auto* file = std::get_if<graph::WriteFileOp>(&step.operation)) add(parts, *file);
  if (const auto* git = std::get_if<graph::GitOp>(&step.operation)) {
    parts["the repository"] = brief(git->url);
    parts["the commit"] = brief(git->commit + " " + git->tag);
  }
  std::size_t number = 0;
  for (graph::StepId input : graph::inputs(step)) {
    const std::string name =
        (number++ == 0 && step.parent ? "what it stands on " : "what it takes of ") + name_of(graph.steps.at(input));
    parts[name] = brief(keys.at(input).key.str());
  }
  return parts;
}

std::string parts_digest(const graph::Graph& graph, graph::StepId id, const std::vector<StepKey>& keys,
                         bool stands_on_anew) {
  const StepKey& key = keys.at(id);
  if (key.never_found) return {};
  std::string all = "parts of " + key.key.str() + (stands_on_anew ? " anew" : "");
  // Equal steps may stand on what other targets wrote in other words.
  for (graph::StepId input : graph::inputs(graph.steps.at(id))) all += "\n" + name_of(graph.steps.at(input));
  return base::Digest::of(all).str();
}

}  // namespace ingot::solver
