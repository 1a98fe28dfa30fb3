#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "proto/codec.h"
#include "proto/schedule.h"

namespace ingot::api {

namespace {

Response schedule_response(const Result<proto::Schedule>& schedule) {
  if (!schedule) return error_response(schedule.error());
  return json_response(200, proto::dump(proto::to_json(*schedule)));
}

}  // namespace

Response list_schedules(const Services& services, const Request& /*request*/) {
  const auto schedules = services.schedules->list();
  if (!schedules) return error_response(schedules.error());
  auto list = nlohmann::json::array();
  for (const auto& each : *schedules) list.push_back(proto::to_json(each));
  return json_response(200, proto::dump({{"schedules", list}}));
}

Response run_schedule(const Services& services, const Request& request) {
  return schedule_response(services.schedules->run(request.path_values.at("name")));
}

Response pause_schedule(const Services& services, const Request& request) {
  return schedule_response(services.schedules->pause(request.path_values.at("name"), true));
}

Response resume_schedule(const Services& services, const Request& request) {
  return schedule_response(services.schedules->pause(request.path_values.at("name"), false));
}

}  // namespace ingot::api
