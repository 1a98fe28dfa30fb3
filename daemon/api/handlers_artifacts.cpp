#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/api/blob_response.h"
#include "daemon/api/handlers.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"

namespace ingot::api {

namespace {

using base::fail;

Result<proto::Artifact> find_artifact(const Services& services, const Request& request) {
  const std::string& id = request.path_values.at("id");
  const std::string& wanted = request.path_values.at("artifact");
  INGOT_TRY(auto artifacts, services.jobs.artifacts(id));
  auto found = std::find_if(artifacts.begin(), artifacts.end(), [&](const auto& row) { return row.id == wanted; });
  if (found != artifacts.end()) return *found;
  return fail(ErrorKind::not_found, fmt::format("job {} has no artifact \"{}\"", id, base::printable(wanted)),
              "GET /v1/jobs/" + id + "/artifacts lists them");
}

Result<Response> download(const Services& services, const Request& request) {
  INGOT_TRY(auto artifact, find_artifact(services, request));
  if (artifact.removed_ms != 0) {
    const std::string& id = request.path_values.at("id");
    return fail(ErrorKind::not_found,
                fmt::format("artifact {} ({}) of job {} was removed", artifact.id, base::printable(artifact.name), id),
                "`ingot retry " + id + "` makes it again");
  }
  return blob_response(services, request, artifact);
}

}  // namespace

Response list_artifacts(const Services& services, const Request& request) {
  auto artifacts = services.jobs.artifacts(request.path_values.at("id"));
  if (!artifacts) return error_response(artifacts.error());
  auto list = nlohmann::json::array();
  for (const auto& artifact : *artifacts) list.push_back(proto::to_json(artifact));
  return json_response(200, proto::dump({{"artifacts", list}}));
}

Response delete_artifact(const Services& services, const Request& request) {
  auto removed = services.jobs.remove_artifact(request.path_values.at("id"), request.path_values.at("artifact"));
  if (!removed) return error_response(removed.error());
  if (services.sweep_soon) services.sweep_soon();
  return json_response(200, proto::dump(proto::to_json(*removed)));
}

Response get_artifact(const Services& services, const Request& request) {
  auto response = download(services, request);
  return response ? std::move(*response) : error_response(response.error());
}

}  // namespace ingot::api
