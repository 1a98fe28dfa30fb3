#include "daemon/pipeline/job_builds.h"

#include <map>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::pipeline {

using base::fail;

JobBuilds::JobBuilds(const Engine& engine, jobs::JobRun& run, std::shared_ptr<const solver::Context> context,
                     image::JobImages& images, JobObserver& observer)
    : engine_(engine), run_(run), context_(std::move(context)), images_(images), observer_(observer) {}

Result<graph::Answer> JobBuilds::ask(const graph::Graph& graph) {
  INGOT_TRY(solver::Build * build, run(graph, {}));
  return build->answer(graph.steps.size() - 1);
}

Result<std::string> JobBuilds::shell_program(const graph::Graph& graph) {
  INGOT_TRY(solver::Build * build, run(graph, {}));
  return build->shell_program(graph.steps.size() - 1);
}

Result<std::string> JobBuilds::step_file(const graph::Graph& graph, const std::string& path) {
  INGOT_TRY(solver::Build * build, run(graph, {}));
  return build->file(graph.steps.size() - 1, path);
}

Result<solver::Build*> JobBuilds::build(const graph::Graph& graph, Made made) {
  return run(graph, std::move(made));
}

Result<solver::Build*> JobBuilds::run(const graph::Graph& graph, Made made) {
  std::map<std::size_t, store::Lease> made_before;
  for (const auto& earlier : builds_) earlier.build->add_results(made_before);
  One& one = builds_.emplace_back();
  one.graph = graph;
  const solver::BuildRequest request{
      one.graph,
      context_,
      engine_.surroundings,
      run_.cancel,
      std::to_string(run_.job.submitter.uid),
      run_.job.spec.priority,
      run_.job.spec.no_cache,
      &images_,
      run_.secrets,
      run_.mask,
      run_.lost_secrets,
      [this, &one](const std::vector<graph::StepId>& steps) { return wait_for_room(one.graph, steps); },
      std::move(made),
      std::move(made_before)};
  one.build = std::make_unique<solver::Build>(engine_.solver, request, observer_);
  INGOT_CHECK(one.build->run());
  return one.build.get();
}

// A step that several builds had is told of by the first, which made it or found it.
void JobBuilds::record_steps() const {
  std::map<std::size_t, jobs::StepRecord> steps;
  for (const auto& one : builds_) {
    const auto records = one.build->records();
    for (graph::StepId id = 0; id < records.size(); ++id) {
      const graph::Step& step = one.graph.steps[id];
      const auto& record = records[id];
      if (step.text.empty() || record.how.empty()) continue;
      const bool is_known = steps.contains(step.number) && steps[step.number].how != "not needed";
      if (is_known) continue;
      steps[step.number] = {static_cast<int>(step.number),
                            0,
                            step.target,
                            step.text,
                            proto::place_of(step.position),
                            record.how,
                            record.seconds,
                            record.asked_to_run,
                            record.parts,
                            record.bytes,
                            record.stands_on_anew};
    }
  }
  std::map<std::string, int> places;
  std::vector<jobs::StepRecord> rows;
  for (auto& [number, step] : steps) {
    step.place = places[step.target]++;
    rows.push_back(std::move(step));
  }
  if (auto recorded = run_.record_steps(rows); !recorded) {
    base::log::warning("job {}: its steps: {}", run_.job.id, recorded.error().message);
  }
}

// What the steps are likely to write, by what they wrote for earlier jobs. What nobody knows counts as nothing.
Result<std::uint64_t> JobBuilds::expected_bytes(const graph::Graph& graph,
                                                const std::vector<graph::StepId>& steps) const {
  std::uint64_t bytes = 0;
  if (run_.history == nullptr || steps.empty()) return bytes;
  const std::string& project = run_.job.spec.project;
  for (const graph::StepId id : steps) {
    INGOT_TRY(auto step, run_.history->expected_bytes(project, graph.steps[id].target, graph.steps[id].text));
    bytes += step;
  }
  INGOT_TRY(auto artifacts, run_.history->expected_artifacts(project, run_.job.spec.target));
  return bytes + artifacts;
}

// Once: a job that was let in and waited again could wait for itself.
Status JobBuilds::wait_for_room(const graph::Graph& graph, const std::vector<graph::StepId>& steps) {
  if (place_ || steps.empty()) return {};
  INGOT_TRY(auto bytes, expected_bytes(graph, steps));
  const std::string size = base::human_bytes(bytes);
  auto admitted = engine_.admission.admit(bytes, run_.cancel, [&] {
    run_.wait_for_disk(true);
    observer_.note("waiting for disk: this job is likely to need " + size +
                   ", as jobs like it did, and there is no room for it");
  });
  run_.wait_for_disk(false);
  if (!admitted) return fail(admitted.error());
  if (admitted->entry == Admission::Entry::after_waiting) observer_.note("there is room now");
  if (admitted->entry == Admission::Entry::with_doubts) {
    observer_.note("warning: this job is likely to need " + size +
                   " on the disk, and there is no room for it; nothing else runs that could make some, so it is tried");
  }
  place_ = std::move(admitted->place);
  return {};
}

}  // namespace ingot::pipeline
