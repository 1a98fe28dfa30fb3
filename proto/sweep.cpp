#include "proto/sweep.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "proto/fields.h"

namespace ingot::proto {

namespace {

constexpr std::pair<SweepState, const char*> kStates[] = {{SweepState::running, "running"},
                                                          {SweepState::publishing, "publishing"},
                                                          {SweepState::succeeded, "succeeded"},
                                                          {SweepState::failed, "failed"},
                                                          {SweepState::canceled, "canceled"}};

nlohmann::json to_json(const SweepCellSpec& value) {
  nlohmann::json body = {
      {"name", value.name}, {"target", value.target}, {"values", value.values}, {"args", value.args}};
  if (value.timeout_seconds != 0) body["timeout_seconds"] = value.timeout_seconds;
  if (value.priority != 0) body["priority"] = value.priority;
  return body;
}

Decoded<SweepCellSpec> cell_spec_from_json(const nlohmann::json& body) {
  Fields fields(body, "a cell of a sweep");
  SweepCellSpec value;
  fields.require("name");
  fields.require("target");
  fields.read("name", value.name);
  fields.read("target", value.target);
  fields.read("values", value.values);
  fields.read("args", value.args);
  fields.read_integer("timeout_seconds", value.timeout_seconds);
  fields.read_integer("priority", value.priority);
  return finish(fields, value);
}

// The list under `key`, each read by `read`; what is wrong with one is told.
template <typename Value, typename Read>
void read_list(Fields& fields, const char* key, std::vector<Value>& list, Read read) {
  const auto* found = fields.find(key);
  if (found == nullptr) return;
  if (!found->is_array()) return fields.complain(std::string("field \"") + key + "\" must be a list");
  for (const auto& each : *found) {
    auto value = read(each);
    if (!value) return fields.complain(value.error().message);
    list.push_back(*std::move(value));
  }
}

}  // namespace

const char* name_of(SweepState state) {
  for (const auto& [each, name] : kStates) {
    if (each == state) return name;
  }
  return "failed";
}

std::optional<SweepState> sweep_state_from_name(const std::string& name) {
  for (const auto& [state, each] : kStates) {
    if (name == each) return state;
  }
  return std::nullopt;
}

nlohmann::json to_json(const SweepSpec& value) {
  auto cells = nlohmann::json::array();
  for (const auto& cell : value.cells) cells.push_back(to_json(cell));
  return {{"name", value.name},
          {"axes", value.axes},
          {"job", to_json(value.job)},
          {"cells", std::move(cells)},
          {"parallel", value.parallel},
          {"time_seconds", value.time_seconds},
          {"disk_bytes", value.disk_bytes},
          {"stop_after", value.stop_after},
          {"keep_jobs_seconds", value.keep_jobs_seconds},
          {"keep_artifacts_seconds", value.keep_artifacts_seconds},
          {"publish_whole", value.publish_whole},
          {"idempotency_key", value.idempotency_key}};
}

Decoded<SweepSpec> sweep_spec_from_json(const nlohmann::json& body) {
  Fields fields(body, "a sweep");
  SweepSpec value;
  for (const char* key : {"name", "job", "cells"}) fields.require(key);
  fields.read("name", value.name);
  fields.read("axes", value.axes);
  if (const auto* job = fields.find("job"); job != nullptr) {
    auto spec = job_spec_from_json(*job);
    if (!spec) fields.complain(spec.error().message);
    value.job = std::move(spec).value_or(JobSpec{});
  }
  read_list(fields, "cells", value.cells, cell_spec_from_json);
  fields.read_integer("parallel", value.parallel);
  fields.read_integer("time_seconds", value.time_seconds);
  fields.read_integer("disk_bytes", value.disk_bytes);
  fields.read_integer("stop_after", value.stop_after);
  fields.read_integer("keep_jobs_seconds", value.keep_jobs_seconds);
  fields.read_integer("keep_artifacts_seconds", value.keep_artifacts_seconds);
  fields.read("publish_whole", value.publish_whole);
  fields.read("idempotency_key", value.idempotency_key);
  return finish(fields, value);
}

nlohmann::json to_json(const SweepCell& value) {
  nlohmann::json body = {{"number", value.number},
                         {"name", value.name},
                         {"target", value.target},
                         {"values", value.values},
                         {"state", name_of(value.state)},
                         {"job", value.job},
                         {"seconds", value.seconds},
                         {"bytes", value.bytes},
                         {"steps", value.steps},
                         {"executed", value.executed},
                         {"finished_ms", value.finished_ms}};
  if (value.error) body["error"] = to_json(*value.error);
  return body;
}

Decoded<SweepCell> sweep_cell_from_json(const nlohmann::json& body) {
  Fields fields(body, "a cell of a sweep");
  SweepCell value;
  std::string state = "queued";
  fields.require("name");
  fields.require("state");
  fields.read_integer("number", value.number);
  fields.read("name", value.name);
  fields.read("target", value.target);
  fields.read("values", value.values);
  fields.read("state", state);
  const auto known = job_state_from_name(state);
  if (!known) fields.complain("field \"state\" of a cell of a sweep is no state");
  value.state = known.value_or(JobState::queued);
  fields.read("job", value.job);
  if (const auto* error = fields.find("error"); error != nullptr) value.error = error_from_json(*error);
  fields.read("seconds", value.seconds);
  fields.read_integer("bytes", value.bytes);
  fields.read_integer("steps", value.steps);
  fields.read_integer("executed", value.executed);
  fields.read_integer("finished_ms", value.finished_ms);
  return finish(fields, value);
}

nlohmann::json to_json(const Sweep& value) {
  nlohmann::json body = {
      {"id", value.id},
      {"name", value.name},
      {"project", value.project},
      {"axes", value.axes},
      {"state", name_of(value.state)},
      {"submitter", {{"uid", value.submitter.uid}, {"gid", value.submitter.gid}, {"user", value.submitter.user}}},
      {"created_ms", value.created_ms},
      {"finished_ms", value.finished_ms},
      {"counts", value.counts}};
  if (!value.reason.empty()) body["reason"] = value.reason;
  if (value.existed) body["existed"] = true;
  for (const auto& cell : value.cells) body["cells"].push_back(to_json(cell));
  return body;
}

Decoded<Sweep> sweep_from_json(const nlohmann::json& body) {
  Fields fields(body, "a sweep");
  Sweep value;
  std::string state;
  fields.require("id");
  fields.require("state");
  fields.read("id", value.id);
  fields.read("name", value.name);
  fields.read("project", value.project);
  fields.read("axes", value.axes);
  fields.read("state", state);
  const auto known = sweep_state_from_name(state);
  if (!known) fields.complain("field \"state\" of a sweep is no state");
  value.state = known.value_or(SweepState::failed);
  fields.read("reason", value.reason);
  if (const auto* submitter = fields.find("submitter"); submitter != nullptr) {
    Fields who(*submitter, "a submitter");
    who.read_integer("uid", value.submitter.uid);
    who.read_integer("gid", value.submitter.gid);
    who.read("user", value.submitter.user);
  }
  fields.read_integer("created_ms", value.created_ms);
  fields.read_integer("finished_ms", value.finished_ms);
  if (const auto* counts = fields.find("counts"); counts != nullptr && counts->is_object()) {
    for (const auto& [name, count] : counts->items()) {
      if (count.is_number_unsigned()) value.counts[name] = count.get<std::uint64_t>();
    }
  }
  fields.read("existed", value.existed);
  read_list(fields, "cells", value.cells, sweep_cell_from_json);
  return finish(fields, value);
}

nlohmann::json to_json(const CellForecast& value) {
  return {{"name", value.name},        {"is_known", value.is_known}, {"is_unchanged", value.is_unchanged},
          {"seconds", value.seconds},  {"bytes", value.bytes},       {"steps", value.steps},
          {"executed", value.executed}};
}

Decoded<CellForecast> cell_forecast_from_json(const nlohmann::json& body) {
  Fields fields(body, "a forecast of a cell");
  CellForecast value;
  fields.require("name");
  fields.read("name", value.name);
  fields.read("is_known", value.is_known);
  fields.read("is_unchanged", value.is_unchanged);
  fields.read("seconds", value.seconds);
  fields.read_integer("bytes", value.bytes);
  fields.read_integer("steps", value.steps);
  fields.read_integer("executed", value.executed);
  return finish(fields, value);
}

}  // namespace ingot::proto
