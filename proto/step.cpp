#include "proto/step.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

namespace {

nlohmann::json to_json(const PlanStep& value) {
  return {{"step", value.step},         {"target", value.target}, {"text", value.text},
          {"position", value.position}, {"state", value.state},   {"inputs", value.inputs}};
}

Decoded<PlanStep> plan_step_from_json(const nlohmann::json& body) {
  Fields fields(body, "a step of a plan");
  PlanStep value;
  fields.require("step");
  fields.require("state");
  fields.read("step", value.step);
  fields.read("target", value.target);
  fields.read("text", value.text);
  fields.read("position", value.position);
  fields.read("state", value.state);
  fields.read("inputs", value.inputs);
  return finish(fields, value);
}

Decoded<PlanResult> plan_result_from_json(const nlohmann::json& body) {
  Fields fields(body, "a result of a plan");
  PlanResult value;
  fields.read("kind", value.kind);
  fields.read("name", value.name);
  fields.read("step", value.step);
  fields.read("platform", value.platform);
  return finish(fields, value);
}

}  // namespace

nlohmann::json to_json(const Plan& value) {
  auto steps = nlohmann::json::array();
  for (const auto& step : value.steps) steps.push_back(to_json(step));
  auto results = nlohmann::json::array();
  for (const auto& result : value.results) {
    nlohmann::json body = {{"kind", result.kind}, {"name", result.name}, {"step", result.step}};
    if (!result.platform.empty()) body["platform"] = result.platform;
    results.push_back(std::move(body));
  }
  return {{"steps", steps}, {"results", results}, {"warnings", value.warnings}};
}

Decoded<Plan> plan_from_json(const nlohmann::json& body) {
  Fields fields(body, "a plan");
  Plan plan;
  fields.require("steps");
  fields.read("warnings", plan.warnings);
  if (auto ok = read_list(fields, "steps", plan_step_from_json, plan.steps); !ok) return tl::unexpected(ok.error());
  if (auto ok = read_list(fields, "results", plan_result_from_json, plan.results); !ok)
    return tl::unexpected(ok.error());
  return finish(fields, plan);
}

nlohmann::json to_json(const StepReport& value) {
  return {{"step", value.step},
          {"target", value.target},
          {"text", value.text},
          {"position", value.position},
          {"how", value.how},
          {"seconds", value.seconds},
          {"compared_with", value.compared_with},
          {"reasons", value.reasons}};
}

Decoded<StepReport> step_report_from_json(const nlohmann::json& body) {
  Fields fields(body, "a step");
  StepReport value;
  fields.require("step");
  fields.require("how");
  fields.read("step", value.step);
  fields.read("target", value.target);
  fields.read("text", value.text);
  fields.read("position", value.position);
  fields.read("how", value.how);
  fields.read("seconds", value.seconds);
  fields.read("compared_with", value.compared_with);
  fields.read("reasons", value.reasons);
  return finish(fields, value);
}

}  // namespace ingot::proto
