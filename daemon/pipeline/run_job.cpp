#include "daemon/pipeline/run_job.h"

#include <fmt/format.h>

#include "daemon/base/digest.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/pipeline/context_host.h"
#include "daemon/pipeline/job_observer.h"
#include "daemon/pipeline/save_images.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

namespace {

using base::fail;

Result<proto::ContextManifest> load_context(const Engine& engine, const jobs::JobRun& run) {
  INGOT_TRY(auto digest, base::Digest::parse(run.job.spec.context));
  return engine.contexts.load(digest);
}

Result<earthfile::File> parse_earthfile(ContextHost& host) {
  auto text = host.read_file("Earthfile");
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "the project directory has no Earthfile",
                "run ingot in the directory of your Earthfile, or name it with -C");
  }
  if (!text) return fail(text.error());
  auto file = earthfile::parse(*text, "Earthfile");
  if (file) return *file;
  // The first error is the job's; the others are told with it.
  Error error = file.error().front();
  for (std::size_t i = 1; i < file.error().size(); ++i) error.context.push_back(proto::render(file.error()[i]));
  return fail(std::move(error));
}

}  // namespace

Status run_job(const Engine& engine, jobs::JobRun& run) {
  JobObserver observer(run.log);
  auto note = [&](const std::string& line) { observer.note(line); };

  // 1. The project directory as it was sent.
  INGOT_TRY(auto manifest, load_context(engine, run));
  const auto context = std::make_shared<const solver::Context>(std::move(manifest));
  ContextHost host(context->manifest, engine.blobs, engine.images, note, run.cancel);

  // 2. The recipe as a tree.
  INGOT_TRY(auto file, parse_earthfile(host));

  // 3. The target as a graph of steps; fetches the images that it starts from.
  INGOT_TRY(auto plan, earthfile::interpret(file, {run.job.spec.target, run.job.spec.args}, host));
  for (const auto& warning : plan.warnings) note("warning: " + warning);

  // 4. Every step that the cache does not have, each in its container.
  const solver::BuildRequest request{plan.graph,
                                     context,
                                     engine.surroundings,
                                     run.cancel,
                                     std::to_string(run.job.submitter.uid),
                                     run.job.spec.priority,
                                     run.job.spec.no_cache};
  solver::Build build(engine.solver, request, observer);
  INGOT_CHECK(build.run());

  // 5. What the target hands out: every artifact is found before the first is announced.
  std::vector<proto::Artifact> artifacts;
  for (const auto& save : plan.graph.artifacts) {
    INGOT_TRY(auto saved, build.save(save));
    artifacts.insert(artifacts.end(), saved.begin(), saved.end());
  }
  INGOT_TRY(auto images, save_images(engine, run, context->manifest, plan.graph, build, note));
  artifacts.insert(artifacts.end(), images.begin(), images.end());
  if (run.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  for (auto& artifact : artifacts) INGOT_CHECK(run.add_artifact(std::move(artifact)));
  return {};
}

}  // namespace ingot::pipeline
