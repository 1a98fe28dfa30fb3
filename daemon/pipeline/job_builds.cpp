#include "daemon/pipeline/job_builds.h"

#include <map>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/graph/prune.h"

namespace ingot::pipeline {

using base::fail;

JobBuilds::JobBuilds(const Engine& engine, jobs::JobRun& run, std::shared_ptr<const solver::Context> context,
                     image::JobImages& images, std::shared_ptr<git::JobRepositories> repositories,
                     std::shared_ptr<JobClient> client)
    : engine_(engine),
      run_(run),
      context_(std::move(context)),
      images_(images),
      repositories_(std::move(repositories)),
      secrets_(std::make_shared<const proto::Secrets>(proto::secrets_for_steps(*run.secrets))),
      client_(std::move(client)),
      given_up_(run.cancel),
      notes_(run.log, told_) {}

JobBuilds::~JobBuilds() {
  given_up_.cancel();
  (void)early_end();
}

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
  auto built = [&]() -> Result<solver::Build*> {
    if (graph::has_pushes(graph)) INGOT_CHECK(run(graph::without_pushes(graph), {}));
    return run(graph, std::move(made));
  }();
  if (!built) known_ = graph;
  given_up_.cancel();
  INGOT_CHECK(early_end());
  return built;
}

void JobBuilds::give_up(const graph::Graph& known) {
  known_ = known;
  given_up_.cancel();
}

std::vector<proto::Artifact> JobBuilds::saved_all_the_same() {
  std::vector<proto::Artifact> all;
  for (const auto& save : known_.artifacts) {
    if (!save.after_failure) continue;
    // What it takes from may stand on the command that failed, as a copy of its caches does.
    std::optional<store::Lease> left;
    for (std::optional<graph::StepId> at = save.from; at && !left; at = known_.steps[*at].parent) {
      left = results_->find_failed(known_.steps[*at].number);
    }
    if (!left) continue;
    auto saved = engine_.solver.save(left->id(), save);
    if (saved) all.insert(all.end(), saved->begin(), saved->end());
    if (!saved) notes_.note("not saved after the failure: " + saved.error().message);
  }
  return all;
}

bool JobBuilds::may_begin() {
  std::lock_guard lock(mutex_);
  return !begins_ && begun_;
}

void JobBuilds::begin(const graph::Graph& graph) {
  {
    std::lock_guard lock(mutex_);
    if (begins_ || !begun_) return;
    begins_ = true;
  }
  if (early_.joinable()) early_.join();
  graph::Graph known = graph::has_pushes(graph) ? graph::without_pushes(graph) : graph;
  early_ = std::thread([this, known = std::move(known)]() mutable {
    auto built = [&]() -> Result<solver::Build*> {
      try {
        return run(std::move(known), {});
      } catch (const std::exception& error) {
        return fail(ErrorKind::internal, std::string("building ahead failed: ") + error.what());
      }
    }();
    std::lock_guard lock(mutex_);
    begins_ = false;
    if (built || built.error().kind == ErrorKind::canceled) return;
    begun_ = fail(built.error());
    given_up_.cancel();
  });
}

Status JobBuilds::build_now(const graph::Graph& graph) {
  INGOT_CHECK(run(graph::without_pushes(graph), {}));
  return {};
}

Status JobBuilds::early_end() {
  if (early_.joinable()) early_.join();
  return begun_;
}

Result<solver::Build*> JobBuilds::run(graph::Graph graph, Made made) {
  std::unique_lock lock(mutex_);
  One& one = builds_.emplace_back();
  lock.unlock();
  one.graph = std::move(graph);
  one.observer = std::make_unique<JobObserver>(run_.log, told_);
  const solver::BuildRequest request{
      one.graph,
      context_,
      engine_.surroundings,
      given_up_.token(),
      std::to_string(run_.job.submitter.uid),
      run_.job.spec.priority,
      run_.job.spec.no_cache,
      &images_,
      secrets_,
      run_.mask,
      run_.lost_secrets,
      [this, &one](const std::vector<graph::StepId>& steps) { return wait_for_room(one.graph, steps); },
      std::move(made),
      results_,
      repositories_,
      client_,
      [this] { return step_aside(); }};
  one.build = std::make_unique<solver::Build>(engine_.solver, request, *one.observer);
  INGOT_CHECK(one.build->run());
  return one.build.get();
}

std::shared_ptr<void> JobBuilds::step_aside() {
  const std::lock_guard lock(aside_mutex_);
  auto aside = aside_.lock();
  if (aside) return aside;
  using Both = std::pair<std::shared_ptr<void>, Admission::Place>;
  // What runs a step was let in.
  aside = std::make_shared<Both>(run_.step_aside ? run_.step_aside() : nullptr, engine_.admission.step_aside());
  aside_ = aside;
  return aside;
}

// A step that several builds had is told of by the first, which made it or found it.
std::map<std::size_t, jobs::StepRecord> JobBuilds::step_records() const {
  std::map<std::size_t, jobs::StepRecord> steps;
  for (const auto& one : builds_) {
    for (graph::StepId id = 0; id < one.graph.steps.size(); ++id) {
      const graph::Step& step = one.graph.steps[id];
      const std::string& how = one.build->how(id);
      if (step.text.empty() || how.empty()) continue;
      const auto known = steps.find(step.number);
      const bool is_news = known == steps.end() || (known->second.how == "not needed" && how != "not needed");
      if (!is_news) continue;
      auto record = one.build->record(id);
      steps[step.number] = {static_cast<int>(step.number),
                            0,
                            step.target,
                            step.text,
                            proto::place_of(step.position),
                            record.how,
                            record.seconds,
                            record.asked_to_run,
                            {},
                            record.bytes,
                            record.stands_on_anew,
                            std::move(record.parts_digest),
                            std::move(record.parts)};
    }
  }
  return steps;
}

void JobBuilds::record_steps() {
  (void)early_end();
  std::map<std::string, int> places;
  std::vector<jobs::StepRecord> rows;
  for (auto& [number, step] : step_records()) {
    step.place = places[step.target]++;
    rows.push_back(std::move(step));
  }
  if (auto recorded = run_.record_steps(rows); !recorded) {
    base::log::warning("job {}: its steps: {}", run_.job.id, recorded.error().message);
  }
}

// What the steps are likely to write, by what they wrote for earlier jobs. What nobody knows counts as nothing.
Result<Needs> JobBuilds::expected_needs(const graph::Graph& graph, const std::vector<graph::StepId>& steps) const {
  Needs needs;
  if (run_.history == nullptr || steps.empty()) return needs;
  const proto::JobSpec& spec = run_.job.spec;
  // What is run anew, or with what is the user's own, is not done for others too.
  const bool is_for_all = !spec.no_cache && spec.no_cache_targets.empty() && !spec.ssh && secrets_->empty();
  for (const graph::StepId id : steps) {
    const auto& step = graph.steps[id];
    INGOT_TRY(const auto bytes, run_.history->expected_bytes(spec.project, step.target, step.text));
    const auto key = is_for_all ? results_->keys()->find(step.number) : std::nullopt;
    needs[key ? key->key.str() : run_.job.id + " " + std::to_string(step.number)] = bytes;
  }
  INGOT_TRY(const auto artifacts, run_.history->expected_artifacts(spec.project, spec.target));
  needs["artifacts of " + run_.job.id] = artifacts;
  return needs;
}

// Once: a job that was let in and waited again could wait for itself.
Status JobBuilds::wait_for_room(const graph::Graph& graph, const std::vector<graph::StepId>& steps) {
  const std::lock_guard lock(room_mutex_);
  if (place_ || steps.empty()) return {};
  INGOT_TRY(const auto needs, expected_needs(graph, steps));
  const std::string size = base::human_bytes(bytes_of(needs));
  auto admitted = engine_.admission.admit(needs, given_up_.token(), [&] {
    run_.wait_for_disk(true);
    notes_.note("waiting for disk: this job is likely to need " + size +
                ", as jobs like it did, and there is no room for it");
  });
  run_.wait_for_disk(false);
  if (!admitted) return fail(admitted.error());
  if (admitted->entry == Admission::Entry::after_waiting) notes_.note("there is room now");
  if (admitted->entry == Admission::Entry::with_doubts) {
    notes_.note("warning: this job is likely to need " + size +
                " on the disk, and there is no room for it; nothing else runs that could make some, so it is tried");
  }
  place_ = std::move(admitted->place);
  return {};
}

}  // namespace ingot::pipeline
