#include "proto/schedule.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

nlohmann::json to_json(const Schedule& value) {
  nlohmann::json body = {{"name", value.name},
                         {"file", value.file},
                         {"cron", value.cron},
                         {"time_zone", value.time_zone},
                         {"jitter_seconds", value.jitter_seconds},
                         {"is_paused", value.is_paused},
                         {"is_submitting", value.is_submitting},
                         {"next_ms", value.next_ms},
                         {"ran_ms", value.ran_ms}};
  if (!value.sweep.empty()) body["sweep"] = value.sweep;
  if (!value.problem.empty()) body["problem"] = value.problem;
  return body;
}

Decoded<Schedule> schedule_from_json(const nlohmann::json& body) {
  Fields fields(body, "a schedule");
  Schedule value;
  fields.require("name");
  fields.read("name", value.name);
  fields.read("file", value.file);
  fields.read("cron", value.cron);
  fields.read("time_zone", value.time_zone);
  fields.read_integer("jitter_seconds", value.jitter_seconds);
  fields.read("is_paused", value.is_paused);
  fields.read("is_submitting", value.is_submitting);
  fields.read_integer("next_ms", value.next_ms);
  fields.read_integer("ran_ms", value.ran_ms);
  fields.read("sweep", value.sweep);
  fields.read("problem", value.problem);
  return finish(fields, value);
}

}  // namespace ingot::proto
