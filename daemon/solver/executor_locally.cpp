#include <fmt/format.h>

#include "daemon/image/layer_unpack.h"
#include "daemon/solver/answers.h"
#include "daemon/solver/executor.h"
#include "daemon/solver/full_disk.h"
#include "daemon/solver/step_secrets.h"
#include "daemon/store/artifacts.h"

// Steps under LOCALLY: the client does them. What they leave here is a layer of its own, most often an empty one, which
// says that they were done.
namespace ingot::solver {

namespace {

using base::fail;

// Of a step that is nothing but what is given.
graph::SaveArtifact all_of(const graph::Step& step) {
  graph::SaveArtifact all;
  all.source = "/";
  all.name = "files";
  all.keep_ts = true;
  all.position = step.position;
  return all;
}

}  // namespace

Result<Executed> Executor::do_locally(const StepWork& work, const sys::OutputSink& output,
                                      const sys::CancelToken& cancel) {
  if (!work.client) return fail(ErrorKind::internal, "a build without a client is to do something locally");
  const auto& operation = work.step.operation;
  if (const auto* exec = std::get_if<graph::ExecOp>(&operation)) return run_locally(work, *exec, output, cancel);
  if (const auto* taken = std::get_if<graph::TakeOp>(&operation)) return take(work, *taken, cancel);
  return give(work, std::get<graph::GiveOp>(operation), cancel);
}

Result<Executed> Executor::run_locally(const StepWork& work, const graph::ExecOp& op, const sys::OutputSink& output,
                                       const sys::CancelToken& cancel) {
  ClientSide::Command command{op.command, op.local->directory, op.env, work.surroundings.step_timeout};
  if (work.secrets) {
    sandbox::StepSpec given;
    INGOT_CHECK(give_secrets(*work.secrets, op, given));
    command.env.insert(command.env.end(), given.secret_env.begin(), given.secret_env.end());
  }
  for (std::size_t i = 0; i < op.images.size(); ++i) {
    INGOT_CHECK(load_locally(work, op.images[i], work.inputs.at(i + 1).id(), cancel));
  }
  graph::Answer answer;
  const auto listen = [&](sys::Stream stream, std::string_view bytes) {
    if (op.asks && stream == sys::Stream::out) {
      answer.output.append(bytes.substr(0, kLongestAnswer + 1 - answer.output.size()));
    }
    output(stream, bytes);
  };
  {
    const auto aside = work.step_aside ? work.step_aside() : nullptr;
    INGOT_TRY(answer.exit_code, work.client->run(command, listen, cancel));
  }
  if (op.asks) {
    INGOT_TRY(auto kept, keep(answer));
    return Executed{std::move(kept), 0};
  }
  INGOT_TRY(auto layer, snapshots_.begin(std::nullopt));
  if (answer.exit_code == 0) return Executed{std::move(layer), 0};
  Error failure{
      ErrorKind::step_failed, fmt::format("the command ended with exit code {}", answer.exit_code), "", {}, {}};
  failure.exit_code = answer.exit_code;
  if (work.step.keeps_failure) return Executed{std::move(layer), 0, std::move(failure)};
  return fail(std::move(failure));
}

// WITH DOCKER: into the engine of that side, which the command uses.
Status Executor::load_locally(const StepWork& work, const graph::StepImage& image, store::SnapshotId snapshot,
                              const sys::CancelToken& cancel) {
  if (images_ == nullptr) return fail(ErrorKind::internal, "there are no images for steps here");
  const auto hold = images_->blobs().ledger().hold();  // until the client has them
  INGOT_TRY(const auto digest, images_->build(image, snapshot, cancel));
  return work.client->load({image.name, digest, work.surroundings.step_timeout}, cancel);
}

Result<Executed> Executor::take(const StepWork& work, const graph::TakeOp& op, const sys::CancelToken& cancel) {
  INGOT_TRY(auto layer, snapshots_.begin(std::nullopt));
  const auto tar = layer.directory.path() / "taken.tar";
  auto taken = work.client->take(op, {tar, work.surroundings.step_timeout}, cancel);
  if (taken) taken = image::unpack_files(tar, layer.upper(), cancel);
  std::error_code ignored;
  fs::remove(tar, ignored);
  if (!taken) return fail(with_full_disk(taken.error(), snapshots_.directory()));
  return Executed{std::move(layer), 0};
}

Result<Executed> Executor::give(const StepWork& work, const graph::GiveOp& op, const sys::CancelToken& cancel) {
  std::vector<proto::Artifact> files;
  INGOT_CHECK(with_file_system(snapshots_, work.inputs.back().id(), [&](const sys::RootedDir& root) -> Status {
    INGOT_TRY(files, store::save_artifacts(all_of(work.step), root, blobs_));
    return {};
  }));
  INGOT_TRY(const auto tar, base::Digest::parse(files.front().digest));
  INGOT_CHECK(work.client->give(op, {blobs_.path(tar), work.surroundings.step_timeout}, cancel));
  INGOT_TRY(auto layer, snapshots_.begin(std::nullopt));
  return Executed{std::move(layer), 0};
}

}  // namespace ingot::solver
