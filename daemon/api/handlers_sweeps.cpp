#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "daemon/api/check_job_spec.h"
#include "daemon/api/handlers.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"
#include "proto/secrets.h"
#include "proto/sweep.h"

namespace ingot::api {

namespace {

using base::fail;

constexpr std::size_t kMostCells = 10'000;
constexpr std::size_t kLongestName = 1000;

Result<proto::SweepSpec> read_sweep(const Services& services, const Request& request) {
  INGOT_TRY(const auto body, proto::parse_json(request.body));
  INGOT_TRY(auto sweep, proto::sweep_spec_from_json(body));
  if (sweep.name.empty() || sweep.name.size() > kLongestName)
    return fail(ErrorKind::invalid, "a sweep has a name, of at most 1000 bytes");
  if (sweep.cells.empty()) return fail(ErrorKind::invalid, "a sweep has at least one cell");
  if (sweep.cells.size() > kMostCells)
    return fail(ErrorKind::invalid, fmt::format("a sweep has at most {} cells", kMostCells));
  constexpr std::uint64_t kCentury = 3'155'760'000;
  for (const auto seconds : {sweep.time_seconds, sweep.keep_jobs_seconds, sweep.keep_artifacts_seconds}) {
    if (seconds > kCentury) return fail(ErrorKind::invalid, "a time of a sweep is longer than a century");
  }
  if (sweep.idempotency_key.size() > 256) return fail(ErrorKind::invalid, "the sweep's idempotency_key is too long");
  if (sweep.job.locally || sweep.job.ssh)
    return fail(ErrorKind::invalid, "nobody stays with a sweep to do what LOCALLY or --ssh asks for");
  INGOT_CHECK(check_job_spec(services, sweep.job, TargetIs::optional));
  std::set<std::string> names;
  for (const auto& cell : sweep.cells) {
    if (cell.name.empty() || cell.name.size() > kLongestName || !names.insert(cell.name).second) {
      return fail(ErrorKind::invalid,
                  "\"" + base::printable(cell.name.substr(0, 100)) + "\" is no name of a cell of its own");
    }
    // Its context is that of all.
    proto::JobSpec job = sweep.job;
    job.target = cell.target;
    job.args = cell.args;
    if (auto right = check_job_values(job, TargetIs::required); !right) {
      return fail(base::with_context(right.error(), "in cell " + base::printable(cell.name)));
    }
  }
  return sweep;
}

Response sweep_response(int status, const Result<proto::Sweep>& sweep) {
  if (!sweep) return error_response(sweep.error());
  return json_response(status, proto::dump(proto::to_json(*sweep)));
}

}  // namespace

Response post_sweep(const Services& services, const Request& request) {
  const auto spec = read_sweep(services, request);
  if (!spec) return error_response(spec.error());
  // Beside the specification, which is kept and shown, and never in it.
  const auto secrets = proto::parse_json(request.body).and_then(proto::secrets_of_submission);
  if (!secrets) return error_response(secrets.error());
  const auto sweep = services.jobs.submit_sweep(*spec, request.submitter, *secrets);
  Response response = sweep_response(sweep && sweep->existed ? 200 : 201, sweep);
  if (sweep) response.headers.emplace_back("Location", "/v1/sweeps/" + sweep->id);
  return response;
}

Response forecast_sweep(const Services& services, const Request& request) {
  const auto spec = read_sweep(services, request);
  if (!spec) return error_response(spec.error());
  const auto forecasts = services.jobs.forecast(*spec);
  if (!forecasts) return error_response(forecasts.error());
  auto list = nlohmann::json::array();
  for (const auto& each : *forecasts) list.push_back(proto::to_json(each));
  return json_response(200, proto::dump({{"cells", list}}));
}

Response list_sweeps(const Services& services, const Request& request) {
  constexpr std::uint64_t kMost = 1000;
  const auto limit = query_number(request, "limit", 20);
  if (!limit) return error_response(limit.error());
  const auto sweeps = services.jobs.sweeps(std::min(*limit, kMost));
  if (!sweeps) return error_response(sweeps.error());
  auto list = nlohmann::json::array();
  for (const auto& sweep : *sweeps) list.push_back(proto::to_json(sweep));
  return json_response(200, proto::dump({{"sweeps", list}}));
}

Response get_sweep(const Services& services, const Request& request) {
  return sweep_response(200, services.jobs.find_sweep(request.path_values.at("id"), true));
}

Response cancel_sweep(const Services& services, const Request& request) {
  return sweep_response(200, services.jobs.cancel_sweep(request.path_values.at("id")));
}

Response retry_sweep(const Services& services, const Request& request) {
  const std::string body = request.body.empty() ? "{}" : request.body;
  const auto secrets = proto::parse_json(body).and_then(proto::secrets_of_submission);
  if (!secrets) return error_response(secrets.error());
  const auto failed = request.query.find("failed");
  return sweep_response(200, services.jobs.retry_sweep(request.path_values.at("id"),
                                                       failed != request.query.end() && failed->second == "true",
                                                       request.submitter, *secrets));
}

}  // namespace ingot::api
