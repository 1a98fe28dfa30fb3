#include "daemon/pipeline/run_job.h"

#include <map>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/pipeline/early_layers.h"
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
                     proto::place_of(step.position), record.how, record.seconds, record.asked_to_run, record.parts,
                     record.bytes, record.stands_on_anew});
  }
  if (auto recorded = run.record_steps(steps); !recorded) {
    base::log::warning("job {}: its steps: {}", run.job.id, recorded.error().message);
  }
}

// What the steps are likely to write, by what they wrote for earlier jobs. What nobody knows counts as nothing.
Result<std::uint64_t> expected_bytes(const jobs::JobRun& run, const graph::Graph& graph,
                                     const std::vector<graph::StepId>& steps) {
  std::uint64_t bytes = 0;
  if (run.history == nullptr || steps.empty()) return bytes;
  const std::string& project = run.job.spec.project;
  for (const graph::StepId id : steps) {
    INGOT_TRY(auto step, run.history->expected_bytes(project, graph.steps[id].target, graph.steps[id].text));
    bytes += step;
  }
  INGOT_TRY(auto artifacts, run.history->expected_artifacts(project, run.job.spec.target));
  return bytes + artifacts;
}

Status wait_for_room(const Engine& engine, const jobs::JobRun& run, const graph::Graph& graph,
                     const std::vector<graph::StepId>& steps, const std::function<void(const std::string&)>& note,
                     Admission::Place& place) {
  INGOT_TRY(auto bytes, expected_bytes(run, graph, steps));
  const std::string size = base::human_bytes(bytes);
  auto admitted = engine.admission.admit(bytes, run.cancel, [&] {
    run.wait_for_disk(true);
    note("waiting for disk: this job is likely to need " + size + ", as jobs like it did, and there is no room for it");
  });
  run.wait_for_disk(false);
  if (!admitted) return fail(admitted.error());
  if (admitted->entry == Admission::Entry::after_waiting) note("there is room now");
  if (admitted->entry == Admission::Entry::with_doubts) {
    note("warning: this job is likely to need " + size +
         " on the disk, and there is no room for it; nothing else runs that could make some, so it is tried");
  }
  place = std::move(admitted->place);
  return {};
}

}  // namespace

Status run_job(const Engine& engine, jobs::JobRun& run) {
  // What this job saves is nobody's until its row says so: until then nothing of it may be swept.
  const auto hold = engine.blobs.ledger().hold();
  JobObserver observer(run.log);
  auto note = [&](const std::string& line) { observer.note(line); };

  // 1. The target as a graph of steps; fetches the images that it starts from.
  image::JobImages from(engine.images, run.job.spec.pull);
  auto read = read_recipe(engine, run.job.spec, from, note, run.cancel);
  INGOT_CHECK(run.record_images(from.used()));
  if (!read) return fail(read.error());
  const Recipe& recipe = *read;
  const graph::Graph& graph = recipe.plan.graph;
  for (const auto& warning : recipe.plan.warnings) note("warning: " + warning);

  INGOT_TRY(const auto form, layer_form(engine, run.job.spec));

  // 2. Every step that the cache does not have, each in its container.
  Admission::Place place;
  EarlyLayers early(graph, engine.layers, form);
  const solver::BuildRequest request{
      graph,
      recipe.context,
      engine.surroundings,
      run.cancel,
      std::to_string(run.job.submitter.uid),
      run.job.spec.priority,
      run.job.spec.no_cache,
      &from,
      run.secrets,
      run.mask,
      run.lost_secrets,
      [&](const std::vector<graph::StepId>& steps) { return wait_for_room(engine, run, graph, steps, note, place); },
      [&](graph::StepId step, const store::Lease& result) { early.made(step, result); }};
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
  INGOT_TRY(auto images, save_images(engine, run, recipe.context->manifest, graph, build, form, note));
  artifacts.insert(artifacts.end(), images.begin(), images.end());
  if (run.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  for (auto& artifact : artifacts) INGOT_CHECK(run.add_artifact(std::move(artifact)));
  return {};
}

}  // namespace ingot::pipeline
