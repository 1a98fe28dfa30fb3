#include "daemon/solver/executor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "daemon/base/strings.h"
#include "daemon/solver/answers.h"
#include "daemon/solver/full_disk.h"
#include "daemon/solver/mounted_snapshot.h"
#include "daemon/solver/step_agent.h"
#include "daemon/solver/step_secrets.h"
#include "daemon/store/context_copy.h"
#include "daemon/store/tree_copy.h"
#include "daemon/store/write_file.h"

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
  Error error{ErrorKind::step_failed, fmt::format("the command ended with exit code {}", status.code), {}, {}, {}};
  if (outcome.out_of_memory) {
    error.message =
        "the command was ended for want of memory: it may use " + base::human_bytes(surroundings.limits.memory_bytes);
    error.hint = "limits.memory in the daemon's configuration sets it";
  }
  error.exit_code = status.code;
  return fail(std::move(error));
}

// RUN --mount=type=bind,from=+target: a directory or a file of a mounted snapshot.
Result<sandbox::StepMount> bind_of(const graph::Mount& mount, const MountedSnapshot& mounted) {
  INGOT_TRY(auto root, sys::RootedDir::open(mounted.path()));
  auto source = root.open_path(mount.source, O_PATH);
  if (!source && source.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "what is to be mounted at " + mount.target + " has no " + mount.source);
  }
  if (!source) return fail(source.error());
  struct stat status {};
  if (fstat(source->get(), &status) != 0) return base::fail_errno(errno, "cannot look at " + mount.source);
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    return fail(ErrorKind::invalid, mount.source + " is neither a directory nor a file, and cannot be mounted");
  }
  // Links were followed inside; the name that is left has none, and nobody can put one there: the mount is read-only.
  const std::string place = sys::name_of(source->get());
  if (!place.starts_with(mounted.path().string())) {
    return fail(ErrorKind::internal, "what is to be mounted at " + mount.target + " is not where it should be");
  }
  return sandbox::StepMount{mount.target, place, true, S_ISREG(status.st_mode)};
}

// A target's SAVE ARTIFACT is a copy too.
std::string command_of(const graph::Step& step) {
  return step.text.starts_with("SAVE ARTIFACT") ? "SAVE ARTIFACT" : "COPY";
}

}  // namespace

Status with_file_system(store::SnapshotStore& snapshots, store::SnapshotId id,
                        const std::function<Status(const sys::RootedDir&)>& look) {
  INGOT_TRY(auto mounted, MountedSnapshot::mount(snapshots, id));
  {
    INGOT_TRY(auto root, sys::RootedDir::open(mounted.path()));
    INGOT_CHECK(look(root));
  }
  return mounted.unmount();
}

Result<Executed> Executor::execute(const StepWork& work, const sys::OutputSink& output,
                                   const sys::CancelToken& cancel) {
  const auto& operation = work.step.operation;
  if (graph::is_local(operation)) return do_locally(work, output, cancel);
  if (const auto* exec = std::get_if<graph::ExecOp>(&operation)) return run_command(work, *exec, output, cancel);
  if (const auto* make = std::get_if<graph::MakeDirectoryOp>(&operation)) {
    return change(work, [&](const Stack& stack) { return stack.root.make_directories(make->path); });
  }
  if (const auto* file = std::get_if<graph::WriteFileOp>(&operation)) {
    return change(work, [&](const Stack& stack) { return store::write_file(*file, stack.root); });
  }
  if (const auto* git = std::get_if<graph::GitOp>(&operation)) return check_out(work, *git, cancel);
  const auto* copy = std::get_if<graph::CopyOp>(&operation);
  if (copy == nullptr) return fail(ErrorKind::internal, "an image is no step to be executed");
  // Most of what is copied becomes one more name of a file that is there; names are made when nothing is mounted.
  std::optional<store::LayerLinks> links;
  const auto from_context = [&](const Stack& stack) -> Status {
    INGOT_TRY(auto opened, store::LayerLinks::open(blobs_, stack.merged, stack.upper));
    links.emplace(std::move(opened));
    return store::copy_from_context(*copy, work.context->tree, blobs_, stack.root, &*links);
  };
  const auto from_step = [&](const Stack& stack) -> Status {
    const store::SnapshotId source = work.inputs.back().id();
    INGOT_TRY(auto layers, snapshots_.layers(source));
    INGOT_TRY(auto opened, store::LayerLinks::open(layers, stack.merged, stack.upper, &snapshots_.twins()));
    links.emplace(std::move(opened));
    return with_file_system(snapshots_, source, [&](const sys::RootedDir& from) {
      return store::copy_from_tree(command_of(work.step), *copy, from, stack.root, &*links, cancel);
    });
  };
  const auto make_links = [&](store::PendingSnapshot& layer) -> Status {
    INGOT_CHECK(links->make(cancel));
    layer.shares = links->shared();
    return {};
  };
  return copy->from ? change(work, from_step, make_links) : change(work, from_context, make_links);
}

Result<bool> Executor::same_selection(const graph::CopyOp& op, store::SnapshotId one, store::SnapshotId other) {
  bool same = false;
  INGOT_CHECK(with_file_system(snapshots_, one, [&](const sys::RootedDir& root) {
    return with_file_system(snapshots_, other, [&](const sys::RootedDir& other_root) -> Status {
      INGOT_TRY(same, store::same_selection(op, root, other_root));
      return {};
    });
  }));
  return same;
}

Result<Executed> Executor::run_command(const StepWork& work, const graph::ExecOp& op, const sys::OutputSink& output,
                                       const sys::CancelToken& cancel) {
  const store::SnapshotId parent = work.inputs.front().id();
  INGOT_CHECK(check_platform(op, parent));
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
  spec.hosts = op.hosts;
  spec.privileged = op.privileged;
  spec.limits = work.surroundings.limits;
  if (work.surroundings.step_timeout.count() > 0) spec.timeout = work.surroundings.step_timeout;
  if (work.secrets) INGOT_CHECK(give_secrets(*work.secrets, op, spec));
  StepAgent agent(work.client);
  INGOT_CHECK(agent.give(op, spec));
  std::vector<CacheMounts::Held> caches;
  std::vector<MountedSnapshot> bound;
  std::size_t next_input = 1;
  for (const auto& mount : op.mounts) {
    if (mount.kind == graph::Mount::Kind::secret || mount.kind == graph::Mount::Kind::ssh) continue;
    sandbox::StepMount made;
    made.target = mount.target;
    if (mount.kind == graph::Mount::Kind::cache) {
      INGOT_TRY(auto held, caches_.acquire(mount, cancel));
      made.source = held.path;
      caches.push_back(std::move(held));
    }
    if (mount.from) {
      INGOT_TRY(auto mounted, MountedSnapshot::mount(snapshots_, work.inputs.at(next_input++).id()));
      INGOT_TRY(made, bind_of(mount, mounted));
      bound.push_back(std::move(mounted));
    }
    spec.mounts.push_back(std::move(made));
  }
  std::vector<sys::TempDir> images;
  for (const auto& image : op.images) {
    if (images_ == nullptr) return fail(ErrorKind::internal, "there are no images for steps here");
    INGOT_TRY(auto layout, images_->lay_out(image, work.inputs.at(next_input++).id(), cancel));
    spec.mounts.push_back({image.target, layout.path(), true});
    images.push_back(std::move(layout));
  }
  graph::Answer answer;
  const auto listen = [&](sys::Stream stream, std::string_view bytes) {
    if (stream == sys::Stream::out) answer.output.append(bytes.substr(0, kLongestAnswer + 1 - answer.output.size()));
    output(stream, bytes);
  };
  INGOT_TRY(auto outcome, op.asks ? sandbox_.run(spec, listen, cancel) : sandbox_.run(spec, output, cancel));
  for (auto& mounted : bound) INGOT_CHECK(mounted.unmount());
  // That a command which is asked something fails is an answer too, unless somebody else ended it.
  const bool answered = op.asks && !outcome.status.timed_out && !outcome.status.canceled && !outcome.out_of_memory;
  if (auto judged = judge(outcome, work.surroundings); !judged && !answered) {
    Error failure = with_full_disk(judged.error(), snapshots_.directory());
    if (const auto why = agent.failure(); why && failure.hint.empty()) {
      failure.hint = "the SSH agent could not be spoken to: " + why->message;
    }
    const bool is_kept = work.step.keeps_failure && failure.kind == ErrorKind::step_failed;
    return is_kept ? Executed{std::move(layer), 0, std::move(failure)} : Result<Executed>(fail(std::move(failure)));
  }
  if (!op.asks) return Executed{std::move(layer), outcome.peak_memory_bytes};
  answer.exit_code = outcome.status.code;
  INGOT_TRY(auto kept, keep(answer));
  return Executed{std::move(kept), outcome.peak_memory_bytes};
}

Status Executor::check_platform(const graph::ExecOp& op, store::SnapshotId on) const {
  if (op.platform.empty()) return {};
  INGOT_TRY(const auto interpreter, binfmt_.interpreter_for(base::platform_of(op.platform)));
  if (interpreter.empty()) return {};
  return with_file_system(snapshots_, on, [&](const sys::RootedDir& root) -> Status {
    if (root.exists(interpreter)) return {};
    return fail(ErrorKind::unsupported,
                fmt::format("this host runs programs for {} by {}, which this step's file system does not have",
                            op.platform, interpreter),
                "COPY it to that place above, or let its handler bring it along: registered with the flag F, as the "
                "package qemu-user-static does");
  });
}

// On a layer of its own: what the command wrote goes.
Result<store::PendingSnapshot> Executor::keep(const graph::Answer& answer) {
  if (answer.output.size() > kLongestAnswer) {
    return fail(ErrorKind::too_large, "the command printed more than " + base::human_bytes(kLongestAnswer),
                "print less, or write it to a file in a RUN");
  }
  INGOT_TRY(auto layer, snapshots_.begin(std::nullopt));
  INGOT_CHECK(write_answer(layer.upper(), answer));
  return layer;
}

// On a layer of its own, as a repository stands on nothing.
Result<Executed> Executor::check_out(const StepWork& work, const graph::GitOp& op, const sys::CancelToken& cancel) {
  if (!work.repositories) return fail(ErrorKind::internal, "a build without repositories has one to check out");
  INGOT_TRY(auto layer, snapshots_.begin(std::nullopt));
  auto done = work.repositories->check_out(op, layer.upper(), cancel);
  if (!done) return fail(with_full_disk(done.error(), snapshots_.directory()));
  return Executed{std::move(layer), 0};
}

// Lets `write` change the parent's merged file system, and `afterwards` the layer itself once nobody sees it; what they
// write is the new layer.
Result<Executed> Executor::change(const StepWork& work, const std::function<Status(const Stack&)>& write,
                                  const std::function<Status(store::PendingSnapshot&)>& afterwards) {
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
  if (afterwards) INGOT_CHECK(afterwards(layer));
  return Executed{std::move(layer), 0};
}

}  // namespace ingot::solver
