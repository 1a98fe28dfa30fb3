#include "daemon/pipeline/plan.h"

#include "daemon/base/url_credentials.h"
#include "daemon/pipeline/known_answers.h"
#include "daemon/pipeline/recipe.h"

namespace ingot::pipeline {

namespace {

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
  KnownAnswers known(engine, spec, context, images, cancel);
  // Nothing runs for a plan, so nobody has to allow it.
  using Locally = earthfile::Request::Locally;
  const Locally locally = engine.allow_locally ? Locally::allowed : Locally::denied_by_host;
  INGOT_TRY(auto recipe, read_recipe(
                             engine, spec, locally, context, images, repositories, [](const std::string&) {}, cancel,
                             known.questions()));
  INGOT_CHECK(check_warnings(spec, recipe.plan->warnings));
  const graph::Graph& graph = recipe.plan->graph;
  Silence silence;
  solver::BuildRequest request{graph, recipe.context, engine.surroundings, cancel, "", 0, spec.no_cache, &images};
  // What was asked on the way may be something that the whole does not need.
  request.results = std::make_shared<solver::JobResults>(known.keys());
  solver::Build build(engine.solver, request, silence);
  INGOT_TRY(auto foresights, build.plan());

  proto::Plan plan;
  plan.warnings = recipe.plan->warnings;
  if (recipe.plan->open_question) {
    plan.warnings.push_back("what comes after " + proto::place_of(*recipe.plan->open_question) +
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
