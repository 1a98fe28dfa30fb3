#include "daemon/pipeline/run_job.h"

#include "daemon/pipeline/early_layers.h"
#include "daemon/pipeline/job_builds.h"
#include "daemon/pipeline/recipe.h"
#include "daemon/pipeline/save_images.h"

namespace ingot::pipeline {

using base::fail;

Status run_job(const Engine& engine, jobs::JobRun& run) {
  // What this job saves is nobody's until its row says so: until then nothing of it may be swept.
  const auto hold = engine.blobs.ledger().hold();
  JobObserver observer(run.log);
  auto note = [&](const std::string& line) { observer.note(line); };

  // 1. The target as a graph of steps; fetches the images that it starts from, and runs what its course depends on.
  image::JobImages from(engine.images, run.job.spec.pull);
  INGOT_TRY(auto context, load_context(engine, run.job.spec));
  JobBuilds builds(engine, run, context, from, observer);
  const ContextHost::Questions questions{
      [&](const graph::Graph& asked) { return builds.ask(asked); },
      [&](const graph::Graph& state) { return builds.shell_program(state); },
      [&](const graph::Graph& state, const std::string& path) { return builds.step_file(state, path); }};
  auto read = read_recipe(engine, run.job.spec, context, from, note, run.cancel, questions);
  INGOT_CHECK(run.record_images(from.used()));
  if (!read) builds.record_steps();
  if (!read) return fail(read.error());
  const Recipe& recipe = *read;
  const graph::Graph& graph = recipe.plan.graph;
  for (const auto& warning : recipe.plan.warnings) note("warning: " + warning);

  INGOT_TRY(const auto form, layer_form(engine, run.job.spec));

  // 2. Every step that the cache does not have, each in its container.
  EarlyLayers early(graph, engine.layers, form);
  const auto built =
      builds.build(graph, [&](graph::StepId step, const store::Lease& result) { early.made(step, result); });
  builds.record_steps();
  INGOT_CHECK(built);
  solver::Build& build = **built;

  // 3. What the target hands out: every artifact is found before the first is announced.
  std::vector<proto::Artifact> artifacts;
  for (const auto& save : graph.artifacts) {
    INGOT_TRY(auto saved, build.save(save));
    artifacts.insert(artifacts.end(), saved.begin(), saved.end());
  }
  INGOT_TRY(auto images, save_images(engine, run, recipe.context->manifest, graph, build, form, note));
  artifacts.insert(artifacts.end(), images.begin(), images.end());
  if (run.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  for (auto& artifact : artifacts) INGOT_CHECK(run.add_artifact(std::move(artifact)));
  return {};
}

}  // namespace ingot::pipeline
