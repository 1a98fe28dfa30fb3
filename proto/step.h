#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proto/codec.h"

// What is known of a build's steps: before it, and after it.
namespace ingot::proto {

// One step of `ingot plan`.
struct PlanStep {
  std::string step;    // "1", "2", ...
  std::string target;  // "+name"
  std::string text;    // as written
  std::string position;
  // cached: it will not run. not needed: nor is it looked for, since all that stands on it is there. runs. may run: it
  // does unless what it stands on comes out as it was before.
  std::string state;
  std::vector<std::string> inputs;  // steps that it stands on
};

// What a target would hand out.
struct PlanResult {
  std::string kind;           // artifact, image
  std::string name;           // where it would be put, or the image's name
  std::string step;           // that it is taken from
  std::string platform = {};  // of an image; empty: the daemon's own
};

struct Plan {
  std::vector<PlanStep> steps;
  std::vector<PlanResult> results;
  std::vector<std::string> warnings;
};

// One step of `ingot why`.
struct StepReport {
  std::string step;
  std::string target;
  std::string text;
  std::string position;
  // executed, failed; or why it was not run: cached (by its definition), same inputs, same content, not needed, image.
  std::string how;
  double seconds = 0;
  std::string compared_with;         // the job that had this step before; may be empty
  std::vector<std::string> reasons;  // what is different from that time
};

nlohmann::json to_json(const Plan& value);
nlohmann::json to_json(const StepReport& value);
Decoded<Plan> plan_from_json(const nlohmann::json& body);
Decoded<StepReport> step_report_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
