#include "daemon/pipeline/run_job.h"

#include <map>

#include "daemon/base/log.h"
#include "daemon/pipeline/job_observer.h"
#include "daemon/pipeline/recipe.h"
#include "daemon/pipeline/save_images.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

namespace {

using base::fail;

// For `ingot why`. What cannot be kept costs the job nothing.
void record_steps(const graph::Graph& graph, const solver::Build& build, const jobs::JobRun& run) {
  std::vector<jobs::StepRecord> steps;
  std::map<std::string, int> places;
  const auto records = build.records();
  for (graph::StepId id = 0; id < records.size(); ++id) {
    const graph::Step& step = graph.steps[id];
    const auto& record = records[id];
    if (step.text.empty() || record.how.empty()) continue;
    steps.push_back({static_cast<int>(id) + 1, places[step.target]++, step.target, step.text,
                     proto::place_of(step.position), record.how, record.seconds, record.asked_to_run, record.parts});
  }
  if (auto recorded = run.record_steps(steps); !recorded) {
    base::log::warning("job {}: its steps: {}", run.job.id, recorded.error().message);
  }
}

}  // namespace

Status run_job(const Engine& engine, jobs::JobRun& run) {
  JobObserver observer(run.log);
  auto note = [&](const std::string& line) { observer.note(line); };

  // 1. The target as a graph of steps; fetches the images that it starts from.
  INGOT_TRY(auto recipe, read_recipe(engine, run.job.spec, note, run.cancel));
  const graph::Graph& graph = recipe.plan.graph;
  for (const auto& warning : recipe.plan.warnings) note("warning: " + warning);

  // 2. Every step that the cache does not have, each in its container.
  const solver::BuildRequest request{graph,
                                     recipe.context,
                                     engine.surroundings,
                                     run.cancel,
                                     std::to_string(run.job.submitter.uid),
                                     run.job.spec.priority,
                                     run.job.spec.no_cache,
                                     run.secrets,
                                     run.mask,
                                     run.lost_secrets};
  solver::Build build(engine.solver, request, observer);
  const Status built = build.run();
  record_steps(graph, build, run);
  INGOT_CHECK(built);

  // 3. What the target hands out: every artifact is found before the first is announced.
  std::vector<proto::Artifact> artifacts;
  for (const auto& save : graph.artifacts) {
    INGOT_TRY(auto saved, build.save(save));
    artifacts.insert(artifacts.end(), saved.begin(), saved.end());
  }
  INGOT_TRY(auto images, save_images(engine, run, recipe.context->manifest, graph, build, note));
  artifacts.insert(artifacts.end(), images.begin(), images.end());
  if (run.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  for (auto& artifact : artifacts) INGOT_CHECK(run.add_artifact(std::move(artifact)));
  return {};
}

}  // namespace ingot::pipeline
