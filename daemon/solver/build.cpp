#include "daemon/solver/build.h"

#include <algorithm>

#include "daemon/solver/answers.h"
#include "daemon/solver/shell_program.h"
#include "daemon/solver/step_file.h"
#include "daemon/solver/step_secrets.h"

namespace ingot::solver {

namespace {

using base::fail;

std::string how_of(Origin origin) {
  switch (origin) {
    case Origin::same_inputs:
      return "same inputs";
    case Origin::same_content:
      return "same content";
    case Origin::executed:
      break;
  }
  return "executed";
}

// What the build is for: the ends of the graph, and what is handed out of its midst.
std::vector<graph::StepId> results_of(const graph::Graph& graph) {
  std::vector<bool> stood_on(graph.steps.size(), false);
  for (const auto& step : graph.steps) {
    for (graph::StepId input : graph::inputs(step)) stood_on[input] = true;
  }
  std::vector<graph::StepId> results;
  for (graph::StepId id = 0; id < graph.steps.size(); ++id) {
    if (!stood_on[id]) results.push_back(id);
  }
  for (const auto& artifact : graph.artifacts) results.push_back(artifact.from);
  for (const auto& image : graph.images) results.push_back(image.from);
  return results;
}

}  // namespace

Error Build::at_step(Error error, const graph::Step& step) {
  if (!error.position && error.kind != ErrorKind::canceled) error.position = step.position;
  return error;
}

Build::Build(Solver& solver, const BuildRequest& request, Observer& observer)
    : solver_(solver),
      request_(request),
      observer_(observer),
      results_(request.results ? request.results : std::make_shared<JobResults>()),
      nodes_(request.graph.steps.size()) {}

// All are ended before the first is waited for. After that no flight calls here any more.
Build::~Build() {
  for (auto& node : nodes_) {
    if (node.seat) node.seat->leave();
  }
  for (auto& node : nodes_) node.seat.reset();
}

Status Build::run() {
  runs_ = true;
  INGOT_CHECK(resolve_images());
  INGOT_CHECK(look_up());
  INGOT_CHECK(check_secrets());
  INGOT_CHECK(check_agent());
  INGOT_CHECK(check_platforms());
  tell_of_what_is_there();
  INGOT_CHECK(ask_for_admission());
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].wanted && nodes_[id].result && request_.made) request_.made(id, *nodes_[id].result);
    if (nodes_[id].wanted && !nodes_[id].result && nodes_[id].missing == 0) launch(id);
  }
  while (under_way_ > 0) {
    auto landing = next_landing();
    if (!landing) return fail(ErrorKind::canceled, "canceled");
    INGOT_CHECK(land(std::move(*landing)));
  }
  return touch_results();
}

Result<std::vector<Build::Foresight>> Build::plan() {
  INGOT_CHECK(resolve_images());
  INGOT_CHECK(look_up());
  std::vector<Foresight> steps;
  steps.reserve(nodes_.size());
  for (const auto& node : nodes_) {
    if (!node.wanted && !node.result)
      steps.push_back(Foresight::not_needed);
    else if (node.result)
      steps.push_back(Foresight::cached);
    else
      steps.push_back(node.missing == 0 || is_asked_to_run(steps.size()) ? Foresight::runs : Foresight::may_run);
  }
  return steps;
}

Status Build::ask_for_admission() {
  if (!request_.admit) return {};
  std::vector<graph::StepId> steps;
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].wanted && !nodes_[id].result) steps.push_back(id);
  }
  return request_.admit(steps);
}

std::uint64_t Build::made_bytes(graph::StepId id) const {
  if (nodes_[id].how != how_of(Origin::executed) || !nodes_[id].result) return 0;
  return solver_.snapshots_.layer_bytes(nodes_[id].result->id()).value_or(0);
}

Build::Record Build::record(graph::StepId id) const {
  if (keys_.empty()) return {};
  const auto parts = [this, id] { return parts_of(request_.graph, id, keys_, request_.context->tree); };
  return {nodes_[id].how,
          nodes_[id].seconds,
          is_asked_to_run(id),
          parts_digest(request_.graph, id, keys_, nodes_[id].stands_on_anew),
          parts,
          made_bytes(id),
          nodes_[id].stands_on_anew};
}

// What was of use now goes last when room is needed.
Status Build::touch_results() {
  std::vector<store::SnapshotId> used;
  for (const auto& node : nodes_) {
    if (node.result) used.push_back(node.result->id());
  }
  return solver_.snapshots_.touch(used);
}

bool Build::is_asked_to_run(graph::StepId id) const {
  return request_.no_cache || step(id).anew || keys_[id].never_found;
}

// What a RUN --no-cache makes has a key of its own each time; a target that is to run anew keeps its keys, for the jobs
// after this one. So what stands on it must be kept from being found by its definition.
void Build::find_what_stands_on_anew() {
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    for (graph::StepId input : graph::inputs(step(id))) {
      if (step(input).anew || nodes_[input].stands_on_anew) nodes_[id].stands_on_anew = true;
    }
  }
}

Status Build::resolve_images() {
  std::vector<store::Lease> images(nodes_.size());
  image::JobImages own(solver_.images_, proto::PullPolicy::missing);
  image::JobImages& names = request_.images != nullptr ? *request_.images : own;
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    const auto* op = std::get_if<graph::ImageOp>(&step(id).operation);
    if (op == nullptr) continue;
    auto image = names.resolve(
        op->reference, [&](const std::string& line) { observer_.note(line); }, request_.cancel,
        base::platform_of(op->platform));
    if (!image) return fail(at_step(image.error(), step(id)));
    images[id] = image->lease;
    nodes_[id].result = image->lease;
    nodes_[id].how = "image";
  }
  INGOT_TRY(keys_, keys_of(request_.graph, request_.context->tree, images, *results_->keys()));
  return {};
}

void Build::take_what_the_job_has() {
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].result) continue;
    nodes_[id].result = results_->find(number_of(id));
    if (nodes_[id].result) nodes_[id].how = "cached";
  }
}

// What a step stands on comes before it, so one walk from the end meets every step after all that want it.
Status Build::look_up() {
  find_what_stands_on_anew();
  for (graph::StepId id : results_of(request_.graph)) nodes_[id].wanted = true;
  take_what_the_job_has();
  for (graph::StepId id = nodes_.size(); id-- > 0;) {
    Node& node = nodes_[id];
    if (!node.wanted || node.result) continue;
    if (!is_asked_to_run(id) && !node.stands_on_anew) {
      INGOT_TRY(auto found, solver_.cache_.find(keys_[id].key));
      if (found) {
        if (runs_) ++solver_.counters_.hit_key;
        node.result = std::move(*found);
        node.how = "cached";
        results_->add(number_of(id), *node.result);
        continue;
      }
    }
    for (graph::StepId input : graph::inputs(step(id))) nodes_[input].wanted = true;
  }
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    if (!nodes_[id].wanted || nodes_[id].result) continue;
    for (graph::StepId input : graph::inputs(step(id))) {
      if (nodes_[input].result) continue;
      ++nodes_[id].missing;
      nodes_[input].dependents.push_back(id);
    }
  }
  return {};
}

// In the order of the recipe. What nobody had to ask for, since all that stands on it is there, counts as there too.
void Build::tell_of_what_is_there() {
  for (graph::StepId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].wanted && !nodes_[id].result) continue;
    if (nodes_[id].how.empty()) nodes_[id].how = "not needed";
    observer_.step_started(name_of(id), step(id), true);
    observer_.step_ended(name_of(id), step(id), {0, 0, true});
  }
}

// Another build of the job may have landed the step since this one looked. Its result is known to the job before the
// flight ends, so that whoever comes later finds it.
Result<StepResult> Build::fly_once(Solver& solver, const Solver::Wanted& wanted, JobResults& results,
                                   std::size_t number, const Flights::Cockpit& cockpit) {
  if (auto known = results.find(number)) return StepResult{std::move(*known), Origin::same_inputs};
  if (auto known = results.failure_of(number)) return fail(*std::move(known));
  auto landed = solver.fly(wanted, cockpit);
  if (!landed && landed.error().kind == ErrorKind::step_failed) results.add_failure(number, landed.error());
  if (!landed) return landed;
  if (landed->failure) results.add_failure(number, *landed->failure);
  if (!landed->failure) results.add(number, landed->snapshot);
  return landed;
}

void Build::launch(graph::StepId id) {
  Node& node = nodes_[id];
  Solver::Wanted wanted;
  wanted.work = {step(id),
                 name_of(id),
                 {},
                 request_.context,
                 request_.surroundings,
                 request_.secrets,
                 request_.repositories,
                 request_.client,
                 request_.step_aside};
  wanted.mask = request_.mask;
  std::string identity = keys_[id].operation.str();
  for (graph::StepId input : graph::inputs(step(id))) {
    wanted.work.inputs.push_back(*nodes_[input].result);
    identity += " " + std::to_string(nodes_[input].result->id());
  }
  wanted.key = keys_[id].key;
  wanted.operation = keys_[id].operation;
  wanted.look = !is_asked_to_run(id);
  wanted.demand = {request_.submitter, request_.priority};
  // Who has other values for its secrets gets a flight of its own.
  const auto* exec = std::get_if<graph::ExecOp>(&step(id).operation);
  if (exec != nullptr && request_.secrets) identity += " " + fingerprint_of(*request_.secrets, *exec);
  // Others have other keys; and what uses this client's would end with it, whoever else waited.
  if (exec != nullptr && graph::agent_of(*exec) != nullptr) {
    identity += " agent " + std::to_string(reinterpret_cast<std::uintptr_t>(request_.client.get()));
  }
  if (step(id).keeps_failure) identity += " keeps its failure";
  if (std::holds_alternative<graph::GitOp>(step(id).operation) && request_.repositories) {
    identity += " " + request_.repositories->fingerprint();
  }
  // What is to be run anew is nobody else's, and run once for the job.
  if (!wanted.look) identity += " " + name_of(id) + std::to_string(reinterpret_cast<std::uintptr_t>(results_.get()));

  FlightListener listener;
  listener.started = [this, id] { started(id); };
  listener.output = [this, id](sys::Stream stream, std::string_view bytes) {
    observer_.output(name_of(id), step(id), stream, bytes);
  };
  listener.landed = [this, id](const Result<StepResult>& result) {
    std::lock_guard lock(mutex_);
    landings_.push_back({id, result});
    changed_.notify_all();
  };
  bool joined = false;
  ++under_way_;
  node.begun = std::chrono::steady_clock::now();
  node.seat = solver_.flights_.join(
      identity,
      [&solver = solver_, wanted, results = results_, number = number_of(id)](const Flights::Cockpit& cockpit) {
        return fly_once(solver, wanted, *results, number, cockpit);
      },
      std::move(listener), joined);
  if (joined) ++solver_.counters_.merged;
}

void Build::started(graph::StepId id) {
  nodes_[id].started = true;
  nodes_[id].begun = std::chrono::steady_clock::now();
  observer_.step_started(name_of(id), step(id), false);
}

std::optional<Build::Landing> Build::next_landing() {
  // A build that runs may wake: nothing else tells of a cancel while a step is quiet.
  constexpr std::chrono::milliseconds kLookForCancel(50);
  std::unique_lock lock(mutex_);
  while (landings_.empty()) {
    if (request_.cancel.canceled()) return std::nullopt;
    changed_.wait_for(lock, kLookForCancel);
  }
  Landing landing = std::move(landings_.front());
  landings_.pop_front();
  return landing;
}

Status Build::land(Landing landing) {
  Node& node = nodes_[landing.id];
  if (landing.result && landing.result->failure) {
    results_->add_failed(number_of(landing.id), landing.result->snapshot);
    landing.result = fail(*landing.result->failure);
  }
  node.seat.reset();
  --under_way_;
  const bool cached = landing.result && landing.result->origin != Origin::executed;
  if (!node.started) observer_.step_started(name_of(landing.id), step(landing.id), cached);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - node.begun;
  node.seconds = cached ? 0 : seconds.count();
  node.how = landing.result ? how_of(landing.result->origin) : "failed";
  // What failed without a command has no exit code of its own.
  const int code = landing.result ? 0 : std::max(1, landing.result.error().exit_code);
  observer_.step_ended(name_of(landing.id), step(landing.id), {code, cached ? 0 : seconds.count(), cached});
  if (!landing.result) return fail(at_step(landing.result.error(), step(landing.id)));
  node.result = std::move(landing.result->snapshot);
  results_->add(number_of(landing.id), *node.result);
  if (request_.made) request_.made(landing.id, *node.result);
  for (graph::StepId dependent : node.dependents) {
    if (--nodes_[dependent].missing == 0) launch(dependent);
  }
  return {};
}

Result<graph::Answer> Build::answer(graph::StepId id) const {
  constexpr std::size_t kShort = 4096;
  const store::SnapshotId snapshot = result(id).id();
  if (auto known = solver_.answers_.find(snapshot)) return *std::move(known);
  INGOT_TRY(const auto layers, solver_.snapshots_.layers(snapshot));
  INGOT_TRY(auto answer, read_answer(layers.back()));
  if (answer.output.size() <= kShort) solver_.answers_.add(snapshot, answer);
  return answer;
}

Result<std::string> Build::shell_program(graph::StepId id) const {
  const store::SnapshotId snapshot = result(id).id();
  if (auto known = solver_.shells_.find(snapshot)) return *std::move(known);
  std::string program;
  INGOT_CHECK(with_file_system(solver_.snapshots_, snapshot, [&](const sys::RootedDir& root) -> Status {
    program = shell_program_of(root);
    return {};
  }));
  solver_.shells_.add(snapshot, program);
  return program;
}

Result<std::string> Build::file(graph::StepId id, const std::string& path) const {
  std::string text;
  INGOT_CHECK(with_file_system(solver_.snapshots_, result(id).id(), [&](const sys::RootedDir& root) -> Status {
    INGOT_TRY(text, text_of_file(root, path));
    return {};
  }));
  return text;
}

Result<std::vector<proto::Artifact>> Build::save(const graph::SaveArtifact& artifact) {
  return solver_.save(result(artifact.from).id(), artifact);
}

}  // namespace ingot::solver
