#include "client/transport/daemon.h"

#include <nlohmann/json.hpp>

#include "proto/codec.h"
#include "proto/fields.h"

namespace ingot::client {

namespace {

using base::fail;

Error error_of(const HttpHead& head, const std::string& body) {
  if (auto parsed = proto::parse_json(body); parsed && parsed->is_object()) return proto::error_from_json(*parsed);
  Error error;
  error.message = "the daemon answered with status " + std::to_string(head.status);
  return error;
}

template <typename T, typename Decode>
Result<std::vector<T>> decode_list(const std::string& text, const char* key, Decode decode) {
  INGOT_TRY(auto body, proto::parse_json(text));
  std::vector<T> values;
  auto list = body.find(key);
  if (list == body.end() || !list->is_array()) {
    return fail(ErrorKind::internal, std::string("the daemon's answer has no list \"") + key + "\"");
  }
  for (const auto& element : *list) {
    INGOT_TRY(auto value, decode(element));
    values.push_back(std::move(value));
  }
  return values;
}

template <typename Decode>
auto decode_one(const Result<std::string>& text, Decode decode) -> decltype(decode(nlohmann::json())) {
  if (!text) return fail(text.error());
  INGOT_TRY(auto body, proto::parse_json(*text));
  return decode(body);
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
  INGOT_TRY(auto text, call({"GET", "/v1/doctor", {}, ""}));
  return decode_list<proto::HostCheck>(text, "checks", proto::host_check_from_json);
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

Result<proto::Job> Daemon::submit(const proto::JobSpec& spec) {
  const HttpRequest request{"POST", "/v1/jobs", {}, proto::dump(proto::to_json(spec))};
  auto answer = call(request);
  // Whether the first one arrived is not known; the idempotency key makes a second one harmless.
  if (!answer && answer.error().kind == ErrorKind::unavailable && !spec.idempotency_key.empty()) answer = call(request);
  return decode_one(answer, proto::job_from_json);
}

Result<proto::Job> Daemon::job(const std::string& id) {
  return decode_one(call({"GET", "/v1/jobs/" + id, {}, ""}), proto::job_from_json);
}

Result<std::vector<proto::Job>> Daemon::jobs(const std::string& query) {
  INGOT_TRY(auto text, call({"GET", "/v1/jobs" + (query.empty() ? "" : "?" + query), {}, ""}));
  return decode_list<proto::Job>(text, "jobs", proto::job_from_json);
}

Result<proto::Job> Daemon::cancel(const std::string& id) {
  return decode_one(call({"POST", "/v1/jobs/" + id + "/cancel", {}, ""}), proto::job_from_json);
}

Result<proto::Job> Daemon::retry(const std::string& id) {
  return decode_one(call({"POST", "/v1/jobs/" + id + "/retry", {}, ""}), proto::job_from_json);
}

Result<std::vector<proto::Artifact>> Daemon::artifacts(const std::string& id) {
  INGOT_TRY(auto text, call({"GET", "/v1/jobs/" + id + "/artifacts", {}, ""}));
  return decode_list<proto::Artifact>(text, "artifacts", proto::artifact_from_json);
}

Status Daemon::events(const std::string& id, std::uint64_t from, bool follow, const EventSink& sink) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  const std::string target =
      "/v1/jobs/" + id + "/events?from=" + std::to_string(from) + "&follow=" + (follow ? "true" : "false");
  INGOT_CHECK(exchange(connection, {"GET", target, {}, ""}));
  std::string pending;
  Status decoded;
  bool stopped = false;
  Status read = connection.read_body([&](std::string_view bytes) {
    pending += bytes;
    std::size_t start = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
      auto event = decode_one(Result<std::string>(pending.substr(start, end - start)), proto::event_from_json);
      start = end + 1;
      if (!event)
        decoded = fail(event.error());
      else if (!sink(*event))
        stopped = true;
      if (!decoded || stopped) return false;
    }
    pending.erase(0, start);
    return true;
  });
  if (!decoded) return decoded;
  return stopped ? Status{} : read;
}

Result<Daemon::Download> Daemon::download(const std::string& job, const proto::Artifact& artifact,
                                          std::uint64_t offset) {
  INGOT_TRY(auto connection, HttpConnection::open(socket_path_));
  HttpRequest request{"GET", "/v1/jobs/" + job + "/artifacts/" + artifact.id, {}, ""};
  if (offset > 0) {
    request.headers["Range"] = "bytes=" + std::to_string(offset) + "-";
    request.headers["If-Range"] = "\"" + artifact.digest + "\"";
  }
  INGOT_TRY(auto head, exchange(connection, request));
  return Download{std::move(connection), std::move(head)};
}

}  // namespace ingot::client
