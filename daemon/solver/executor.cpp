#include "daemon/solver/executor.h"

#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/store/context_copy.h"
#include "daemon/store/tree_copy.h"
#include "daemon/sys/mounts.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::solver {

namespace {

using base::fail;

// From a command's end to its error; nothing for one that succeeded.
Status judge(const sandbox::StepOutcome& outcome, const Surroundings& surroundings) {
  const sys::ExitStatus& status = outcome.status;
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (status.timed_out) {
    return fail(ErrorKind::timed_out,
                fmt::format("the command ran into the time limit of {} for one step",
                            base::human_duration(std::chrono::duration<double>(surroundings.step_timeout).count())),
                "limits.step_timeout in the daemon's configuration sets it");
  }
  if (status.ok()) return {};
  if (outcome.out_of_memory) {
    return fail(ErrorKind::step_failed,
                fmt::format("the command was ended for want of memory: it may use {}",
                            base::human_bytes(surroundings.limits.memory_bytes)),
                "limits.memory in the daemon's configuration sets it");
  }
  return fail(ErrorKind::step_failed, fmt::format("the command ended with exit code {}", status.code));
}

// A target's SAVE ARTIFACT is a copy too.
std::string command_of(const graph::Step& step) {
  return step.text.starts_with("SAVE ARTIFACT") ? "SAVE ARTIFACT" : "COPY";
}

}  // namespace

Status with_file_system(store::SnapshotStore& snapshots, store::SnapshotId id,
                        const std::function<Status(const sys::RootedDir&)>& look) {
  INGOT_TRY(auto layers, snapshots.layers(id));
  INGOT_TRY(auto scratch, sys::TempDir::create(snapshots.directory() / "pending", "look-"));
  INGOT_TRY(auto mount, sys::mount_overlay(layers, "", "", scratch.path(), snapshots.directory()));
  {
    INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
    INGOT_CHECK(look(root));
  }
  return mount.unmount();
}

Result<Executed> Executor::execute(const StepWork& work, const sys::OutputSink& output,
                                   const sys::CancelToken& cancel) {
  const auto& operation = work.step.operation;
  if (const auto* exec = std::get_if<graph::ExecOp>(&operation)) return run_command(work, *exec, output, cancel);
  if (const auto* make = std::get_if<graph::MakeDirectoryOp>(&operation)) {
    return change(work, [&](const Stack& stack) { return stack.root.make_directories(make->path); });
  }
  const auto* copy = std::get_if<graph::CopyOp>(&operation);
  if (copy == nullptr) return fail(ErrorKind::internal, "an image is no step to be executed");
  if (!copy->from) {
    return change(work, [&](const Stack& stack) {
      return store::copy_from_context(*copy, work.context->tree, blobs_, stack.root);
    });
  }
  std::optional<store::LayerLinks> links;
  const auto write = [&](const Stack& stack) -> Status {
    const store::SnapshotId source = work.inputs.back().id();
    INGOT_TRY(auto layers, snapshots_.layers(source));
    INGOT_TRY(auto opened, store::LayerLinks::open(layers, stack.merged, stack.upper));
    links.emplace(std::move(opened));
    return with_file_system(snapshots_, source, [&](const sys::RootedDir& from) {
      return store::copy_from_tree(command_of(work.step), *copy, from, stack.root, &*links, cancel);
    });
  };
  return change(work, write, [&] { return links->make(); });
}

Result<base::Digest> Executor::selection(const graph::CopyOp& op, store::SnapshotId from) {
  base::Digest digest;
  INGOT_CHECK(with_file_system(snapshots_, from, [&](const sys::RootedDir& root) -> Status {
    INGOT_TRY(digest, store::selection_digest(op, root));
    return {};
  }));
  return digest;
}

Result<Executed> Executor::run_command(const StepWork& work, const graph::ExecOp& op, const sys::OutputSink& output,
                                       const sys::CancelToken& cancel) {
  const store::SnapshotId parent = work.inputs.front().id();
  INGOT_TRY(auto layer, snapshots_.begin(parent));
  sandbox::StepSpec spec;
  spec.name = work.name;
  INGOT_TRY(spec.layers, snapshots_.layers(parent));
  spec.upper = layer.upper();
  spec.work = layer.work();
  spec.argv = {"/bin/sh", "-c", op.command};
  spec.env = op.env;
  spec.working_dir = op.working_dir;
  spec.user = op.user;
  spec.network = op.no_network ? sandbox::Network::none : work.surroundings.network;
  spec.limits = work.surroundings.limits;
  if (work.surroundings.step_timeout.count() > 0) spec.timeout = work.surroundings.step_timeout;
  std::vector<CacheMounts::Held> caches;
  for (const auto& mount : op.mounts) {
    sandbox::StepMount made{mount.target, {}};
    if (mount.kind == graph::Mount::Kind::cache) {
      INGOT_TRY(auto held, caches_.acquire(mount, cancel));
      made.source = held.path;
      caches.push_back(std::move(held));
    }
    spec.mounts.push_back(std::move(made));
  }
  INGOT_TRY(auto outcome, sandbox_.run(spec, output, cancel));
  INGOT_CHECK(judge(outcome, work.surroundings));
  return Executed{std::move(layer), outcome.peak_memory_bytes};
}

// Lets `write` change the parent's merged file system, and `afterwards` the layer itself once nobody sees it; what they
// write is the new layer.
Result<Executed> Executor::change(const StepWork& work, const std::function<Status(const Stack&)>& write,
                                  const std::function<Status()>& afterwards) {
  const store::SnapshotId parent = work.inputs.front().id();
  INGOT_TRY(auto layer, snapshots_.begin(parent));
  INGOT_TRY(auto layers, snapshots_.layers(parent));
  const auto merged = layer.directory.path() / "merged";
  INGOT_CHECK(sys::make_directories(merged));
  INGOT_TRY(auto mount, sys::mount_overlay(layers, layer.upper(), layer.work(), merged, snapshots_.directory()));
  {
    INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
    INGOT_CHECK(write({root, merged, layer.upper()}));
  }
  INGOT_CHECK(mount.unmount());
  if (afterwards) INGOT_CHECK(afterwards());
  return Executed{std::move(layer), 0};
}

}  // namespace ingot::solver
