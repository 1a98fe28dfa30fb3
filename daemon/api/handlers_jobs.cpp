#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/check_job_spec.h"
#include "daemon/api/handlers.h"
#include "daemon/api/job_results.h"
#include "daemon/base/digest.h"
#include "daemon/base/platform.h"
#include "daemon/base/strings.h"
#include "proto/codec.h"
#include "proto/locally.h"
#include "proto/secrets.h"

namespace ingot::api {

namespace {

using base::fail;

Response job_response(int status, const Result<proto::Job>& job) {
  if (!job) return error_response(job.error());
  return json_response(status, proto::dump(proto::to_json(*job)));
}

Result<proto::JobSpec> read_spec(const Services& services, const Request& request) {
  INGOT_TRY(auto body, proto::parse_json(request.body));
  INGOT_TRY(auto spec, proto::job_spec_from_json(body));
  INGOT_CHECK(check_job_spec(services, spec, TargetIs::required));
  return spec;
}

Result<jobs::JobFilter> read_filter(const Request& request) {
  jobs::JobFilter filter;
  constexpr std::uint64_t kMost = 100'000;
  INGOT_TRY(auto limit, query_number(request, "limit", filter.limit));
  filter.limit = std::min(limit, kMost);
  if (auto state = request.query.find("state"); state != request.query.end()) {
    filter.state = proto::job_state_from_name(state->second);
    if (!filter.state) {
      return fail(ErrorKind::invalid, "query parameter state: \"" + base::printable(state->second) + "\" is no state",
                  "queued, running, succeeded, failed or canceled");
    }
  }
  if (auto labels = request.query.find("label"); labels != request.query.end()) {
    for (const auto& pair : base::split(labels->second, ',')) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string::npos) {
        return fail(ErrorKind::invalid, "query parameter label: \"" + base::printable(pair) + "\" is not key=value");
      }
      filter.labels[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
  return filter;
}

Result<LogStream> open_stream(const Services& services, const Request& request) {
  INGOT_TRY(auto from, query_number(request, "from", 0));
  const auto follow = request.query.find("follow");
  if (follow != request.query.end() && follow->second != "true" && follow->second != "false") {
    return fail(ErrorKind::invalid, "query parameter follow must be true or false");
  }
  const std::string& id = request.path_values.at("id");
  INGOT_TRY(auto job, services.jobs.find(id));
  // First the live log, then the file: a job that ends in between is read to its end.
  auto live = services.jobs.live_log(job.id);
  INGOT_TRY(auto reader, services.jobs.read_log(job.id, from));
  return LogStream{std::move(reader), std::move(live), follow != request.query.end() && follow->second == "true"};
}

}  // namespace

Response post_job(const Services& services, const Request& request) {
  auto spec = read_spec(services, request);
  if (!spec) return error_response(spec.error());
  // Beside the specification, which is kept and shown, and never in it.
  auto secrets = proto::secrets_of_submission(proto::parse_json(request.body).value_or(nlohmann::json::object()));
  if (!secrets) return error_response(secrets.error());
  auto job = services.jobs.submit(std::move(*spec), request.submitter, *secrets);
  Response response = job_response(201, job);
  if (job) response.headers.emplace_back("Location", "/v1/jobs/" + job->id);
  return response;
}

Response list_jobs(const Services& services, const Request& request) {
  auto filter = read_filter(request);
  if (!filter) return error_response(filter.error());
  auto jobs = services.jobs.list(*filter);
  if (!jobs) return error_response(jobs.error());
  auto list = nlohmann::json::array();
  for (const auto& job : *jobs) list.push_back(proto::to_json(job));
  return json_response(200, proto::dump({{"jobs", list}}));
}

Response get_job(const Services& services, const Request& request) {
  auto job = services.jobs.find(request.path_values.at("id"));
  if (!job || !proto::is_final(job->state)) return job_response(200, job);
  auto results = job_results(services, *job);
  if (!results) return error_response(results.error());
  auto body = proto::to_json(*job);
  body.update(proto::to_json(*results));
  return json_response(200, proto::dump(body));
}

Response list_steps(const Services& services, const Request& request) {
  auto steps = services.jobs.steps(request.path_values.at("id"));
  if (!steps) return error_response(steps.error());
  auto list = nlohmann::json::array();
  for (const auto& step : *steps) list.push_back(proto::to_json(step));
  return json_response(200, proto::dump({{"steps", list}}));
}

Response post_plan(const Services& services, const Request& request) {
  auto spec = read_spec(services, request);
  if (!spec) return error_response(spec.error());
  auto secrets = proto::parse_json(request.body).and_then(proto::secrets_of_submission);
  if (!secrets) return error_response(secrets.error());
  auto plan = services.plan(*spec, *secrets);
  if (!plan) return error_response(plan.error());
  return json_response(200, proto::dump(proto::to_json(*plan)));
}

Response cancel_job(const Services& services, const Request& request) {
  return job_response(200, services.jobs.cancel(request.path_values.at("id")));
}

Response retry_job(const Services& services, const Request& request) {
  return job_response(201, services.jobs.retry(request.path_values.at("id"), request.submitter));
}

// From here on the client does what the job's recipes say under LOCALLY, and passes on what its steps say to an SSH
// agent. It is asked to run commands, and has keys: whose job it is alone may be.
Response attach_client(const Services& services, const Request& request) {
  const auto refuse = [](ErrorKind kind, std::string message, std::string hint) {
    return error_response(Error{kind, std::move(message), std::move(hint), {}, {}});
  };
  auto job = services.jobs.find(request.path_values.at("id"));
  if (!job) return error_response(job.error());
  if (job->submitter.uid != request.submitter.uid) {
    return refuse(ErrorKind::denied, "job " + job->id + " is another user's", "only who submitted it may do its part");
  }
  if (!job->spec.locally && !job->spec.ssh) {
    return refuse(ErrorKind::conflict, "job " + job->id + " does nothing on its client's side",
                  "a specification says so with \"locally\": true or \"ssh\": true");
  }
  if (proto::is_final(job->state)) return refuse(ErrorKind::conflict, "job " + job->id + " has ended", "");
  if (request.header("upgrade") != proto::kLocalProtocol) {
    return refuse(ErrorKind::invalid, "the connection is to become one of errands, and the request does not say so",
                  std::string("send the headers Connection: Upgrade and Upgrade: ") + proto::kLocalProtocol);
  }
  if (auto room = services.clients->check_room(job->id, job->state == proto::JobState::running); !room) {
    return error_response(room.error());
  }
  Response response;
  response.status = 101;
  response.headers.emplace_back("Upgrade", proto::kLocalProtocol);
  response.body = Handover{[clients = services.clients, id = job->id](sys::UniqueFd connection) {
    clients->attach(id, std::move(connection));
  }};
  return response;
}

Response get_events(const Services& services, const Request& request) {
  auto stream = open_stream(services, request);
  if (!stream) return error_response(stream.error());
  Response response;
  response.headers.emplace_back("Content-Type", "application/x-ndjson");
  response.body = std::move(*stream);
  return response;
}

}  // namespace ingot::api
