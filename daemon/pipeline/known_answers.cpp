#include "daemon/pipeline/known_answers.h"

namespace ingot::pipeline {

template <typename Answer, typename What>
Result<std::optional<Answer>> KnownAnswers::look(const graph::Graph& graph, const What& what) const {
  solver::BuildRequest request{graph, context_, engine_.surroundings, cancel_, "", 0, spec_.no_cache, &images_};
  request.results = results_;
  Silence silence;
  solver::Build build(engine_.solver, request, silence);
  INGOT_TRY(const auto foresights, build.plan());
  if (foresights.back() != solver::Build::Foresight::cached) return std::optional<Answer>();
  INGOT_TRY(auto answer, what(build, graph.steps.size() - 1));
  return std::optional<Answer>(std::move(answer));
}

ContextHost::Questions KnownAnswers::questions() {
  ContextHost::Questions questions;
  questions.ask = [this](const graph::Graph& graph) {
    return look<graph::Answer>(graph,
                               [](const solver::Build& build, graph::StepId last) { return build.answer(last); });
  };
  questions.shell_program = [this](const graph::Graph& graph) {
    return look<std::string>(graph,
                             [](const solver::Build& build, graph::StepId last) { return build.shell_program(last); });
  };
  questions.step_file = [this](const graph::Graph& graph, const std::string& path) {
    return look<std::string>(graph,
                             [&](const solver::Build& build, graph::StepId last) { return build.file(last, path); });
  };
  questions.only_known = true;
  return questions;
}

}  // namespace ingot::pipeline
