#include "daemon/solver/solver.h"

#include <fmt/format.h>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/store/artifacts.h"
#include "daemon/store/context_copy.h"
#include "daemon/sys/mounts.h"

namespace ingot::solver {

namespace {

using base::fail;

tl::unexpected<Error> fail_at(const graph::Step& step, ErrorKind kind, std::string message, std::string hint = {}) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.position = step.position;
  return fail(std::move(error));
}

Error at_step(Error error, const graph::Step& step) {
  if (!error.position && error.kind != ErrorKind::canceled) error.position = step.position;
  return error;
}

// From a step's end to its error; nothing for one that succeeded.
Status judge(const graph::Step& step, const sandbox::StepOutcome& outcome, const Surroundings& surroundings) {
  const sys::ExitStatus& status = outcome.status;
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (status.timed_out) {
    return fail_at(step, ErrorKind::timed_out,
                   fmt::format("the command ran into the time limit of {} for one step",
                               base::human_duration(std::chrono::duration<double>(surroundings.step_timeout).count())),
                   "limits.step_timeout in the daemon's configuration sets it");
  }
  if (status.ok()) return {};
  if (outcome.out_of_memory) {
    return fail_at(step, ErrorKind::step_failed,
                   fmt::format("the command was ended for want of memory: it may use {}",
                               base::human_bytes(surroundings.limits.memory_bytes)),
                   "limits.memory in the daemon's configuration sets it");
  }
  return fail_at(step, ErrorKind::step_failed, fmt::format("the command ended with exit code {}", status.code));
}

}  // namespace

Build::Build(const graph::Graph& graph, const Surroundings& surroundings, Observer& observer)
    : graph_(graph), surroundings_(surroundings), observer_(observer) {}

Build::~Build() {
  for (auto id = own_.rbegin(); id != own_.rend(); ++id) {
    if (auto removed = surroundings_.snapshots.remove(*id); !removed) {
      base::log::warning("snapshot {}: {}", *id, removed.error().message);
    }
  }
}

Status Build::run() {
  for (std::size_t i = 0; i < graph_.steps.size(); ++i) {
    if (surroundings_.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    INGOT_TRY(auto snapshot, execute(std::to_string(i + 1), graph_.steps[i]));
    results_.push_back(snapshot);
  }
  return {};
}

Result<store::SnapshotId> Build::execute(const std::string& name, const graph::Step& step) {
  observer_.step_started(name, step);
  const auto started = std::chrono::steady_clock::now();
  Result<store::SnapshotId> done = fail(ErrorKind::internal, "the operation is not known");
  int exit_code = 0;
  if (const auto* image = std::get_if<graph::ImageOp>(&step.operation)) {
    done = from_image(*image);
  } else if (const auto* exec = std::get_if<graph::ExecOp>(&step.operation)) {
    done = run_command(name, step, *exec);
  } else if (const auto* copy = std::get_if<graph::CopyOp>(&step.operation)) {
    done = with_layer(step, [&](const sys::RootedDir& root) {
      return store::copy_from_context(*copy, surroundings_.context, surroundings_.blobs, root);
    });
  } else if (const auto* make = std::get_if<graph::MakeDirectoryOp>(&step.operation)) {
    done = with_layer(step, [&](const sys::RootedDir& root) { return root.make_directories(make->path); });
  }
  if (!done) {
    exit_code = 1;
    done = fail(at_step(done.error(), step));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  observer_.step_ended(name, step, exit_code, seconds.count());
  return done;
}

Result<store::SnapshotId> Build::from_image(const graph::ImageOp& op) {
  if (op.reference == "scratch") {
    INGOT_TRY(auto empty, surroundings_.snapshots.begin(std::nullopt));
    INGOT_TRY(auto id, surroundings_.snapshots.commit(std::move(empty)));
    own_.push_back(id);
    return id;
  }
  INGOT_TRY(auto image,
            surroundings_.images.resolve(
                op.reference, [&](const std::string& line) { observer_.note(line); }, surroundings_.cancel));
  return image.snapshot;
}

Result<store::SnapshotId> Build::run_command(const std::string& name, const graph::Step& step,
                                             const graph::ExecOp& op) {
  const store::SnapshotId parent = results_.at(*step.parent);
  INGOT_TRY(auto layer, surroundings_.snapshots.begin(parent));
  sandbox::StepSpec spec;
  spec.name = name;
  INGOT_TRY(spec.layers, surroundings_.snapshots.layers(parent));
  spec.upper = layer.upper();
  spec.work = layer.work();
  spec.argv = {"/bin/sh", "-c", op.command};
  spec.env = op.env;
  spec.working_dir = op.working_dir;
  spec.user = op.user;
  spec.network = surroundings_.network;
  spec.limits = surroundings_.limits;
  if (surroundings_.step_timeout.count() > 0) spec.timeout = surroundings_.step_timeout;
  auto sink = [&](sys::Stream stream, std::string_view bytes) { observer_.output(name, step, stream, bytes); };
  INGOT_TRY(auto outcome, surroundings_.sandbox.run(spec, sink, surroundings_.cancel));
  INGOT_CHECK(judge(step, outcome, surroundings_));
  INGOT_TRY(auto id, surroundings_.snapshots.commit(std::move(layer)));
  own_.push_back(id);
  return id;
}

Result<store::SnapshotId> Build::with_layer(const graph::Step& step,
                                            const std::function<Status(const sys::RootedDir&)>& change) {
  const store::SnapshotId parent = results_.at(*step.parent);
  INGOT_TRY(auto layer, surroundings_.snapshots.begin(parent));
  INGOT_TRY(auto layers, surroundings_.snapshots.layers(parent));
  const auto merged = layer.directory.path() / "merged";
  INGOT_CHECK(sys::make_directories(merged));
  {
    INGOT_TRY(auto mount,
              sys::mount_overlay(layers, layer.upper(), layer.work(), merged, surroundings_.snapshots.directory()));
    {
      INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
      INGOT_CHECK(change(root));
    }
    INGOT_CHECK(mount.unmount());
  }
  INGOT_TRY(auto id, surroundings_.snapshots.commit(std::move(layer)));
  own_.push_back(id);
  return id;
}

Result<std::vector<proto::Artifact>> Build::save(const graph::SaveArtifact& artifact) {
  INGOT_TRY(auto layers, surroundings_.snapshots.layers(results_.at(artifact.from)));
  INGOT_TRY(auto scratch, sys::TempDir::create(surroundings_.snapshots.directory() / "pending", "save-"));
  INGOT_TRY(auto mount, sys::mount_overlay(layers, "", "", scratch.path(), surroundings_.snapshots.directory()));
  std::vector<proto::Artifact> saved;
  {
    INGOT_TRY(auto root, sys::RootedDir::open(mount.path()));
    INGOT_TRY(saved, store::save_artifacts(artifact, root, surroundings_.blobs));
  }
  INGOT_CHECK(mount.unmount());
  return saved;
}

}  // namespace ingot::solver
