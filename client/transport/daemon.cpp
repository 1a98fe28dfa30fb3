#include "client/transport/daemon.h"

#include <nlohmann/json.hpp>

#include "proto/codec.h"
#include "proto/fields.h"
#include "proto/locally.h"

namespace ingot::client {

namespace {

using base::fail;

std::string job_path(const std::string& id) {
  return "/v1/jobs/" + percent_encode(id);
}

std::string sweep_path(const std::string& id) {
  return "/v1/sweeps/" + percent_encode(id);
}

Error error_of(const HttpHead& head, const std::string& body) {
  if (auto parsed = proto::parse_json(body); parsed && parsed->is_object()) return proto::error_from_json(*parsed);
  Error error;
  error.message = "the daemon answered with status " + std::to_string(head.status);
  return error;
}

// An answer that we cannot read is no fault of the user's: the two ends are of different versions.
tl::unexpected<Error> not_understood(const Error& error) {
  return fail(ErrorKind::unsupported, "cannot understand the daemon's answer: " + error.message,
              "client and daemon may be of different versions: see `ingot version`");
}

template <typename Decode>
auto decode_text(const std::string& text, Decode decode) -> decltype(decode(nlohmann::json())) {
  auto body = proto::parse_json(text);
  if (!body) return not_understood(body.error());
  auto value = decode(*body);
  if (!value) return not_understood(value.error());
  return value;
}

template <typename Decode>
auto decode_one(const Result<std::string>& text, Decode decode) -> decltype(decode(nlohmann::json())) {
  if (!text) return fail(text.error());
  return decode_text(*text, decode);
}

template <typename T, typename Decode>
Result<std::vector<T>> decode_list(const Result<std::string>& text, const char* key, Decode decode) {
  return decode_one(text, [&](const nlohmann::json& body) -> Result<std::vector<T>> {
    std::vector<T> values;
    auto list = body.find(key);
    if (list == body.end() || !list->is_array()) {
      return fail(ErrorKind::invalid, std::string("it has no list \"") + key + "\"");
    }
    for (const auto& element : *list) {
      INGOT_TRY(auto value, decode(element));
      values.push_back(std::move(value));
    }
    return values;
  });
}

// Hands on each line of an answer as it comes, until `take` fails or wants no more.
Status read_lines(HttpConnection& connection, const std::function<Result<bool>(const std::string&)>& take) {
  std::string pending;
  Result<bool> taken = true;
  Status read = connection.read_body([&](std::string_view bytes) {
    pending += bytes;
    std::size_t start = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
      taken = take(pending.substr(start, end - start));
      start = end + 1;
      if (!taken || !*taken) return false;
    }
    pending.erase(0, start);
    return true;
  });
  if (!taken) return fail(taken.error());
  return *taken ? read : Status{};
}

}  // namespace

Result<HttpHead> Daemon::exchange(HttpConnection& connection, const HttpRequest& request) {
  INGOT_TRY(auto head, connection.send(request));
  if (head.status < 400) return head;
  std::string body;
  INGOT_CHECK(connection.read_body([&](std::string_view bytes) {
    body += bytes;
    return true;
  }));
  return fail(error_of(head, body));
}

Result<std::string> Daemon::call(const HttpRequest& request) {
  const bool reused = kept_.has_value();
  if (!kept_) {
    INGOT_TRY(auto opened, HttpConnection::open(socket_path_));
    kept_.emplace(std::move(opened));
  }
  HttpConnection connection = std::move(*kept_);
  kept_.reset();
  auto head = exchange(connection, request);
  if (!head) {
    // A kept connection that the daemon closed meanwhile says nothing about the daemon: once more on a new one.
    if (reused && head.error().kind == ErrorKind::unavailable) return call(request);
    return fail(head.error());
  }
  std::string body;
  INGOT_CHECK(connection.read_body([&](std::string_view bytes) {
    body += bytes;
    return true;
  }));
  if (head->headers["connection"] != "close") kept_.emplace(std::move(connection));
  return body;
}

Result<proto::VersionInfo> Daemon::version() {
  return decode_one(call({"GET", "/v1/version", {}, ""}), proto::version_from_json);
}

Result<std::vector<proto::HostCheck>> Daemon::doctor() {
  return decode_list<proto::HostCheck>(call({"GET", "/v1/doctor", {}, ""}), "checks", proto::host_check_from_json);
}

Result<proto::CacheUsage> Daemon::cache() {
  return decode_one(call({"GET", "/v1/cache", {}, ""}), proto::cache_usage_from_json);
}

Result<proto::CachePruned> Daemon::prune_cache(const proto::CachePrune& wanted) {
  return decode_one(call({"POST", "/v1/cache/prune", {}, proto::dump(proto::to_json(wanted))}),
                    proto::cache_pruned_from_json);
}

Result<std::vector<proto::ImageInfo>> Daemon::images() {
  return decode_list<proto::ImageInfo>(call({"GET", "/v1/images", {}, ""}), "images", proto::image_info_from_json);
}

Result<Daemon::Download> Daemon::blob(const std::string& digest) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  HttpRequest request{"GET", "/v1/blobs/" + percent_encode(digest), {}, ""};
  request.headers["Ingot-Accept"] = "descriptor";
  INGOT_TRY(auto head, exchange(connection, request));
  sys::UniqueFd file = connection.take_passed();
  return Download{std::move(connection), std::move(head), std::move(file)};
}

Result<proto::Plan> Daemon::plan(const proto::JobSpec& spec, const proto::Secrets& secrets) {
  auto body = proto::to_json(spec);
  if (!secrets.empty()) body["secrets"] = proto::secrets_to_json(secrets);
  return decode_one(call({"POST", "/v1/plan", {}, proto::dump(body)}), proto::plan_from_json);
}

Result<std::vector<proto::StepReport>> Daemon::steps(const std::string& job) {
  return decode_list<proto::StepReport>(call({"GET", "/v1/jobs/" + percent_encode(job) + "/steps", {}, ""}), "steps",
                                        proto::step_report_from_json);
}

Result<proto::ContextStatus> Daemon::offer(const proto::ContextManifest& manifest) {
  return decode_one(call({"POST", "/v1/contexts", {}, proto::dump(proto::to_json(manifest))}),
                    proto::context_status_from_json);
}

Status Daemon::put_blob(const std::string& digest, int file, std::uint64_t size) {
  HttpRequest request{"PUT", "/v1/blobs/" + digest, {}, ""};
  request.file = file;
  request.file_size = size;
  INGOT_CHECK(call(request));
  return {};
}

Status Daemon::pass_blob(const std::string& digest, int file, std::uint64_t size) {
  HttpRequest request{"PUT", "/v1/blobs/" + digest, {{"Ingot-Descriptor", std::to_string(size)}}, ""};
  request.passed = file;
  INGOT_CHECK(call(request));
  return {};
}

Result<proto::Job> Daemon::submit(const proto::JobSpec& spec, const proto::Secrets& secrets) {
  auto body = proto::to_json(spec);
  if (!secrets.empty()) body["secrets"] = proto::secrets_to_json(secrets);
  const HttpRequest request{"POST", "/v1/jobs", {}, proto::dump(body)};
  auto answer = call(request);
  // Whether the first one arrived is not known; the idempotency key makes a second one harmless.
  if (!answer && answer.error().kind == ErrorKind::unavailable && !spec.idempotency_key.empty()) answer = call(request);
  return decode_one(answer, proto::job_from_json);
}

Result<proto::Sweep> Daemon::submit_sweep(const proto::SweepSpec& spec, const proto::Secrets& secrets) {
  auto body = proto::to_json(spec);
  if (!secrets.empty()) body["secrets"] = proto::secrets_to_json(secrets);
  const HttpRequest request{"POST", "/v1/sweeps", {}, proto::dump(body)};
  auto answer = call(request);
  // As with a job.
  if (!answer && answer.error().kind == ErrorKind::unavailable && !spec.idempotency_key.empty()) answer = call(request);
  return decode_one(answer, proto::sweep_from_json);
}

Result<std::vector<proto::CellForecast>> Daemon::forecast(const proto::SweepSpec& spec) {
  return decode_list<proto::CellForecast>(call({"POST", "/v1/sweeps/forecast", {}, proto::dump(proto::to_json(spec))}),
                                          "cells", proto::cell_forecast_from_json);
}

Result<proto::Sweep> Daemon::sweep(const std::string& id) {
  return decode_one(call({"GET", sweep_path(id), {}, ""}), proto::sweep_from_json);
}

Result<std::vector<proto::Sweep>> Daemon::sweeps(std::uint64_t most) {
  return decode_list<proto::Sweep>(call({"GET", "/v1/sweeps?limit=" + std::to_string(most), {}, ""}), "sweeps",
                                   proto::sweep_from_json);
}

Result<proto::Sweep> Daemon::cancel_sweep(const std::string& id) {
  return decode_one(call({"POST", sweep_path(id) + "/cancel", {}, ""}), proto::sweep_from_json);
}

Result<proto::Sweep> Daemon::retry_sweep(const std::string& id, bool failed_only, const proto::Secrets& secrets) {
  auto body = nlohmann::json::object();
  if (!secrets.empty()) body["secrets"] = proto::secrets_to_json(secrets);
  return decode_one(
      call({"POST", sweep_path(id) + "/retry" + (failed_only ? "?failed=true" : ""), {}, proto::dump(body)}),
      proto::sweep_from_json);
}

Result<std::vector<proto::Schedule>> Daemon::schedules() {
  return decode_list<proto::Schedule>(call({"GET", "/v1/schedules", {}, ""}), "schedules", proto::schedule_from_json);
}

Result<proto::Schedule> Daemon::change_schedule(const std::string& name, const std::string& how) {
  return decode_one(call({"POST", "/v1/schedules/" + percent_encode(name) + "/" + how, {}, ""}),
                    proto::schedule_from_json);
}

Result<proto::Job> Daemon::job(const std::string& id) {
  return decode_one(call({"GET", job_path(id), {}, ""}), proto::job_from_json);
}

Result<std::vector<proto::Job>> Daemon::jobs(const std::string& query) {
  return decode_list<proto::Job>(call({"GET", "/v1/jobs" + (query.empty() ? "" : "?" + query), {}, ""}), "jobs",
                                 proto::job_from_json);
}

Result<proto::Job> Daemon::cancel(const std::string& id) {
  return decode_one(call({"POST", job_path(id) + "/cancel", {}, ""}), proto::job_from_json);
}

Result<proto::Job> Daemon::retry(const std::string& id) {
  return decode_one(call({"POST", job_path(id) + "/retry", {}, ""}), proto::job_from_json);
}

Result<proto::JobResults> Daemon::results(const std::string& id) {
  INGOT_TRY(const auto body, call({"GET", job_path(id), {}, ""}));
  INGOT_TRY(auto results, decode_one(body, proto::job_results_from_json));
  // An older daemon, or a job that goes on, has them nowhere else.
  if (results.artifacts.empty()) {
    INGOT_TRY(results.artifacts, artifacts(id));
  }
  return results;
}

Result<std::vector<proto::Artifact>> Daemon::artifacts(const std::string& id) {
  return decode_list<proto::Artifact>(call({"GET", job_path(id) + "/artifacts", {}, ""}), "artifacts",
                                      proto::artifact_from_json);
}

Result<proto::Artifact> Daemon::remove_artifact(const std::string& job, const std::string& artifact) {
  return decode_one(call({"DELETE", job_path(job) + "/artifacts/" + percent_encode(artifact), {}, ""}),
                    proto::artifact_from_json);
}

Status Daemon::events(const std::string& id, std::uint64_t from, bool follow, const EventSink& sink) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  const std::string target =
      job_path(id) + "/events?from=" + std::to_string(from) + "&follow=" + (follow ? "true" : "false");
  INGOT_CHECK(exchange(connection, {"GET", target, {}, ""}));
  return read_lines(connection, [&](const std::string& line) -> Result<bool> {
    INGOT_TRY(auto event, decode_text(line, proto::event_from_json));
    return sink(event);
  });
}

Result<sys::UniqueFd> Daemon::attach(const std::string& job) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  HttpRequest request{"POST", job_path(job) + "/local", {}, ""};
  request.headers["Connection"] = "Upgrade";
  request.headers["Upgrade"] = proto::kLocalProtocol;
  INGOT_TRY(const auto head, exchange(connection, request));
  if (head.status != 101) return fail(ErrorKind::unsupported, "the daemon does not know LOCALLY", "update it");
  return connection.release();
}

Result<proto::ImagePushed> Daemon::push(const proto::ImagePush& wanted,
                                        const std::function<void(const std::string&)>& tell) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  INGOT_CHECK(exchange(connection, {"POST", "/v1/images/push", {}, proto::dump(proto::to_json(wanted))}));
  Result<proto::ImagePushed> pushed = fail(ErrorKind::unavailable, "the daemon ended before the push did");
  INGOT_CHECK(read_lines(connection, [&](const std::string& line) -> Result<bool> {
    INGOT_TRY(auto news, decode_text(line, proto::push_news_from_json));
    if (!news.text.empty()) tell(news.text);
    if (news.pushed) pushed = *news.pushed;
    if (news.error) pushed = fail(*news.error);
    return true;
  }));
  return pushed;
}

Result<Daemon::Download> Daemon::download(const std::string& job, const proto::Artifact& artifact, std::uint64_t offset,
                                          bool as_descriptor) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  HttpRequest request{"GET", job_path(job) + "/artifacts/" + percent_encode(artifact.id), {}, ""};
  if (as_descriptor) request.headers["Ingot-Accept"] = "descriptor";
  if (offset > 0) {
    request.headers["Range"] = "bytes=" + std::to_string(offset) + "-";
    request.headers["If-Range"] = "\"" + artifact.digest + "\"";
  }
  INGOT_TRY(auto head, exchange(connection, request));
  sys::UniqueFd file = connection.take_passed();
  return Download{std::move(connection), std::move(head), std::move(file)};
}

}  // namespace ingot::client
