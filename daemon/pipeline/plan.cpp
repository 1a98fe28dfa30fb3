#include "daemon/pipeline/plan.h"

#include "daemon/base/url_credentials.h"
#include "daemon/pipeline/recipe.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

namespace {

// A plan has no log to tell to.
class Silence : public solver::Observer {
 public:
  void step_started(const std::string&, const graph::Step&, bool) override {}
  void output(const std::string&, const graph::Step&, sys::Stream, std::string_view) override {}
  void step_ended(const std::string&, const graph::Step&, const StepEnd&) override {}
  void note(const std::string&) override {}
};

std::string name_of(solver::Build::Foresight foresight) {
  switch (foresight) {
    case solver::Build::Foresight::cached:
      return "cached";
    case solver::Build::Foresight::not_needed:
      return "not needed";
    case solver::Build::Foresight::runs:
      return "runs";
    case solver::Build::Foresight::may_run:
      break;
  }
  return "may run";
}

Result<proto::Plan> make_plan(const Engine& engine, const proto::JobSpec& spec, const proto::Secrets& secrets,
                              const sys::CancelToken& cancel) {
  image::JobImages images(engine.images, spec.pull);
  git::JobRepositories repositories(engine.repositories, secrets, {});
  INGOT_TRY(auto context, load_context(engine, spec));
  Silence silence;
  const auto results = std::make_shared<solver::JobResults>();  // of what was asked
  // What was asked before is known; for what was not, nothing is run.
  const auto known = [&](const graph::Graph& asked, const auto& look) -> Result<bool> {
    solver::BuildRequest request{asked, context, engine.surroundings, cancel, "", 0, spec.no_cache, &images};
    request.results = results;
    solver::Build build(engine.solver, request, silence);
    INGOT_TRY(const auto foresights, build.plan());
    if (foresights.back() != solver::Build::Foresight::cached) return false;
    INGOT_CHECK(look(build, asked.steps.size() - 1));
    return true;
  };
  const auto ask = [&](const graph::Graph& asked) -> Result<std::optional<graph::Answer>> {
    graph::Answer answer;
    INGOT_TRY(bool is_known, known(asked, [&](const solver::Build& build, graph::StepId last) -> Status {
                INGOT_TRY(answer, build.answer(last));
                return {};
              }));
    return is_known ? std::optional(std::move(answer)) : std::nullopt;
  };
  const auto shell_program = [&](const graph::Graph& asked) -> Result<std::optional<std::string>> {
    std::string program;
    INGOT_TRY(bool is_known, known(asked, [&](const solver::Build& build, graph::StepId last) -> Status {
                INGOT_TRY(program, build.shell_program(last));
                return {};
              }));
    return is_known ? std::optional(std::move(program)) : std::nullopt;
  };
  const auto step_file = [&](const graph::Graph& asked, const std::string& path) -> Result<std::optional<std::string>> {
    std::string text;
    INGOT_TRY(bool is_known, known(asked, [&](const solver::Build& build, graph::StepId last) -> Status {
                INGOT_TRY(text, build.file(last, path));
                return {};
              }));
    return is_known ? std::optional(std::move(text)) : std::nullopt;
  };
  // Nothing runs for a plan, so nobody has to allow it.
  using Locally = earthfile::Request::Locally;
  const Locally locally = engine.allow_locally ? Locally::allowed : Locally::denied_by_host;
  INGOT_TRY(auto recipe, read_recipe(engine, spec, locally, context, images, repositories, [](const std::string&) {},
                                     cancel, {ask, shell_program, step_file}));
  INGOT_CHECK(check_warnings(spec, recipe.plan.warnings));
  const graph::Graph& graph = recipe.plan.graph;
  solver::BuildRequest request{graph, recipe.context, engine.surroundings, cancel, "", 0, spec.no_cache, &images};
  // What was asked on the way may be something that the whole does not need.
  request.results = std::make_shared<solver::JobResults>(results->keys());
  solver::Build build(engine.solver, request, silence);
  INGOT_TRY(auto foresights, build.plan());

  proto::Plan plan;
  plan.warnings = std::move(recipe.plan.warnings);
  if (recipe.plan.open_question) {
    plan.warnings.push_back("what comes after " + proto::place_of(*recipe.plan.open_question) +
                            " depends on a command that was not run yet with what it stands on now; a build runs it");
  }
  if (const auto can_run = build.check_platforms(); !can_run) {
    const Error& error = can_run.error();
    const std::string place = error.position ? proto::place_of(*error.position) + ": " : "";
    plan.warnings.push_back("this would fail: " + place + error.message + "; " + error.hint);
  }
  for (graph::StepId id = 0; id < graph.steps.size(); ++id) {
    const graph::Step& step = graph.steps[id];
    proto::PlanStep told{std::to_string(step.number), step.target, step.text, proto::place_of(step.position),
                         name_of(foresights[id]),     {}};
    for (graph::StepId input : graph::inputs(step)) told.inputs.push_back(std::to_string(graph.steps[input].number));
    plan.steps.push_back(std::move(told));
  }
  for (const auto& artifact : graph.artifacts) {
    plan.results.push_back({"artifact", artifact.local_path.empty() ? artifact.name : artifact.local_path,
                            std::to_string(graph.steps[artifact.from].number)});
  }
  for (const auto& image : graph.images)
    plan.results.push_back({"image", image.name, std::to_string(graph.steps[image.from].number), image.platform});
  return plan;
}

}  // namespace

Result<proto::Plan> plan(const Engine& engine, const proto::JobSpec& spec, const proto::Secrets& secrets,
                         const sys::CancelToken& cancel) {
  auto plan = make_plan(engine, spec, secrets, cancel);
  if (plan) return plan;
  return base::fail(base::without_credentials(plan.error()));
}

}  // namespace ingot::pipeline
