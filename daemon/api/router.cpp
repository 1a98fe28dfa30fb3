#include "daemon/api/router.h"

#include <algorithm>

#include "daemon/api/handlers.h"
#include "daemon/base/strings.h"

namespace ingot::api {

const std::vector<Route>& route_table() {
  static const std::vector<Route> kRoutes = {
      {"GET", "/v1/version", BodyKind::none_or_json, get_version},
      {"GET", "/v1/doctor", BodyKind::none_or_json, get_doctor},
      {"GET", "/metrics", BodyKind::none_or_json, get_metrics},
      {"POST", "/v1/contexts", BodyKind::manifest, post_context},
      {"PUT", "/v1/blobs/{digest}", BodyKind::blob, put_blob},
      {"POST", "/v1/jobs", BodyKind::none_or_json, post_job},
      {"GET", "/v1/jobs", BodyKind::none_or_json, list_jobs},
      {"GET", "/v1/jobs/{id}", BodyKind::none_or_json, get_job},
      {"POST", "/v1/jobs/{id}/cancel", BodyKind::none_or_json, cancel_job},
      {"POST", "/v1/jobs/{id}/retry", BodyKind::none_or_json, retry_job},
      {"GET", "/v1/jobs/{id}/events", BodyKind::none_or_json, get_events},
      {"POST", "/v1/jobs/{id}/local", BodyKind::none_or_json, attach_client},
      {"GET", "/v1/jobs/{id}/steps", BodyKind::none_or_json, list_steps},
      {"POST", "/v1/plan", BodyKind::none_or_json, post_plan, Pace::slow},
      {"GET", "/v1/jobs/{id}/artifacts", BodyKind::none_or_json, list_artifacts},
      {"GET", "/v1/jobs/{id}/artifacts/{artifact}", BodyKind::none_or_json, get_artifact},
      {"POST", "/v1/sweeps", BodyKind::manifest, post_sweep},
      {"POST", "/v1/sweeps/forecast", BodyKind::manifest, forecast_sweep},
      {"GET", "/v1/sweeps", BodyKind::none_or_json, list_sweeps},
      {"GET", "/v1/sweeps/{id}", BodyKind::none_or_json, get_sweep},
      {"POST", "/v1/sweeps/{id}/cancel", BodyKind::none_or_json, cancel_sweep},
      {"POST", "/v1/sweeps/{id}/retry", BodyKind::none_or_json, retry_sweep},
      {"GET", "/v1/schedules", BodyKind::none_or_json, list_schedules},
      {"POST", "/v1/schedules/{name}/run", BodyKind::none_or_json, run_schedule},
      {"POST", "/v1/schedules/{name}/pause", BodyKind::none_or_json, pause_schedule},
      {"POST", "/v1/schedules/{name}/resume", BodyKind::none_or_json, resume_schedule},
      {"GET", "/v1/images", BodyKind::none_or_json, list_images},
      {"POST", "/v1/images/push", BodyKind::none_or_json, push_image},
      {"GET", "/v1/blobs/{digest}", BodyKind::none_or_json, get_blob},
      {"GET", "/v1/cache", BodyKind::none_or_json, get_cache},
      {"POST", "/v1/cache/prune", BodyKind::none_or_json, prune_cache},
      {"HEAD", "/v1/jobs/{id}/artifacts/{artifact}", BodyKind::none_or_json, get_artifact},
      {"DELETE", "/v1/jobs/{id}/artifacts/{artifact}", BodyKind::none_or_json, delete_artifact},
  };
  return kRoutes;
}

const std::vector<RouteInfo>& routes() {
  static const std::vector<RouteInfo> kInfos = [] {
    std::vector<RouteInfo> infos;
    for (const auto& route : route_table()) infos.push_back({route.method, route.path});
    return infos;
  }();
  return kInfos;
}

namespace {

// Whether `path` fits the pattern; then `values` holds its parameters. A part that cannot be decoded fits nothing.
bool fits(const std::string& pattern, const std::string& path, std::map<std::string, std::string>& values) {
  const auto wanted = base::split(pattern, '/');
  const auto given = base::split(path, '/');
  if (wanted.size() != given.size()) return false;
  values.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].starts_with('{')) {
      if (wanted[i] != given[i]) return false;
      continue;
    }
    auto value = percent_decode(given[i], false);
    if (!value || value->empty()) return false;
    values[wanted[i].substr(1, wanted[i].size() - 2)] = *value;
  }
  return true;
}

}  // namespace

Match find_route(Request& request) {
  std::vector<std::string> allowed;
  std::map<std::string, std::string> values;
  for (const auto& route : route_table()) {
    if (!fits(route.path, request.path, values)) continue;
    if (request.method == route.method) {
      request.path_values = values;
      return {&route, std::nullopt};
    }
    allowed.emplace_back(route.method);
  }
  Match match;
  Error error;
  if (!allowed.empty()) {
    error.kind = ErrorKind::method_not_allowed;
    error.message = base::printable(request.path) + " does not take " + base::printable(request.method);
    error.hint = "it takes " + base::join(allowed, ", ");
    match.refusal = error_response(error);
    match.refusal->headers.emplace_back("Allow", base::join(allowed, ", "));
    return match;
  }
  std::vector<std::string> known;
  for (const auto& route : route_table()) known.emplace_back(route.path);
  error.kind = ErrorKind::not_found;
  error.message = "there is no route " + base::printable(request.path.substr(0, 200));
  error.hint = base::did_you_mean(request.path, known);
  if (error.hint.empty()) error.hint = "this daemon serves /v1/...; GET /v1/version tells what it can";
  match.refusal = error_response(error);
  return match;
}

}  // namespace ingot::api
