#include <nlohmann/json.hpp>

#include "proto/base64.h"
#include "proto/codec.h"
#include "proto/fields.h"

namespace ingot::proto {

nlohmann::json to_json(const JobSpec& value) {
  nlohmann::json body = {{"context", value.context},
                         {"target", value.target},
                         {"args", value.args},
                         {"labels", value.labels},
                         {"priority", value.priority},
                         {"timeout_seconds", value.timeout_seconds},
                         {"idempotency_key", value.idempotency_key},
                         {"no_cache", value.no_cache},
                         {"no_cache_targets", value.no_cache_targets},
                         {"push", value.push},
                         {"strict", value.strict},
                         {"repeatable", value.repeatable},
                         {"pull", name_of(value.pull)},
                         {"secret_names", value.secret_names},
                         {"project", value.project}};
  if (!value.builtins.empty()) body["builtins"] = value.builtins;
  if (value.locally) body["locally"] = true;
  if (value.ssh) body["ssh"] = true;
  if (!value.platforms.empty()) body["platforms"] = value.platforms;
  if (value.compression) body["compression"] = name_of(*value.compression);
  return body;
}

Decoded<JobSpec> job_spec_from_json(const nlohmann::json& body) {
  Fields fields(body, "a job specification");
  JobSpec value;
  fields.require("context");
  fields.require("target");
  fields.read("context", value.context);
  fields.read("target", value.target);
  fields.read("args", value.args);
  fields.read("labels", value.labels);
  fields.read_integer("priority", value.priority);
  fields.read_integer("timeout_seconds", value.timeout_seconds);
  fields.read("idempotency_key", value.idempotency_key);
  fields.read("no_cache", value.no_cache);
  fields.read("no_cache_targets", value.no_cache_targets);
  fields.read("push", value.push);
  fields.read("strict", value.strict);
  fields.read("repeatable", value.repeatable);
  std::string pull = name_of(value.pull);
  fields.read("pull", pull);
  const auto policy = pull_policy_from_name(pull);
  if (!policy) fields.complain("field \"pull\" of a job specification must be missing, always or never");
  value.pull = policy.value_or(PullPolicy::missing);
  std::string compression;
  fields.read("compression", compression);
  if (fields.find("compression") != nullptr) {
    value.compression = compression_from_name(compression);
    if (!value.compression) fields.complain("field \"compression\" of a job specification must be gzip, zstd or none");
  }
  fields.read("secret_names", value.secret_names);
  fields.read("project", value.project);
  fields.read("builtins", value.builtins);
  fields.read("locally", value.locally);
  fields.read("ssh", value.ssh);
  fields.read("platforms", value.platforms);
  return finish(fields, value);
}

nlohmann::json to_json(const FromImage& value) {
  nlohmann::json body = {{"name", value.name}, {"digest", value.digest}, {"source", value.source}};
  if (!value.platform.empty()) body["platform"] = value.platform;
  return body;
}

Decoded<FromImage> from_image_from_json(const nlohmann::json& body) {
  Fields fields(body, "an image that a job started from");
  FromImage value;
  fields.require("name");
  fields.read("name", value.name);
  fields.read("digest", value.digest);
  fields.read("source", value.source);
  fields.read("platform", value.platform);
  return finish(fields, value);
}

nlohmann::json to_json(const FromRepository& value) {
  return {{"name", value.name}, {"ref", value.ref}, {"commit", value.commit}, {"url", value.url}};
}

Decoded<FromRepository> from_repository_from_json(const nlohmann::json& body) {
  Fields fields(body, "a repository that a job was made from");
  FromRepository value;
  fields.require("name");
  fields.require("commit");
  fields.read("name", value.name);
  fields.read("ref", value.ref);
  fields.read("commit", value.commit);
  fields.read("url", value.url);
  return finish(fields, value);
}

nlohmann::json to_json(const Job& value) {
  nlohmann::json body = to_json(value.spec);
  body["id"] = value.id;
  body["state"] = name_of(value.state);
  body["submitter"] = {{"uid", value.submitter.uid}, {"gid", value.submitter.gid}, {"user", value.submitter.user}};
  body["attempts"] = value.attempts;
  body["created_ms"] = value.created_ms;
  body["started_ms"] = value.started_ms;
  body["finished_ms"] = value.finished_ms;
  body["cancel_requested"] = value.cancel_requested;
  if (!value.retry_of.empty()) body["retry_of"] = value.retry_of;
  if (!value.sweep.empty()) body["sweep"] = value.sweep;
  if (!value.cell.empty()) body["cell"] = value.cell;
  if (value.error) body["error"] = to_json(*value.error);
  if (value.queue_position != 0) body["queue_position"] = value.queue_position;
  for (const auto& image : value.from_images) body["from_images"].push_back(to_json(image));
  for (const auto& one : value.from_repositories) body["from_repositories"].push_back(to_json(one));
  if (!value.phase.empty()) body["phase"] = value.phase;
  return body;
}

Decoded<Job> job_from_json(const nlohmann::json& body) {
  Fields fields(body, "a job");
  Job value;
  std::string state;
  fields.require("id");
  fields.require("state");
  fields.read("id", value.id);
  fields.read("state", state);
  fields.read("retry_of", value.retry_of);
  fields.read("sweep", value.sweep);
  fields.read("cell", value.cell);
  fields.read_integer("attempts", value.attempts);
  fields.read_integer("created_ms", value.created_ms);
  fields.read_integer("started_ms", value.started_ms);
  fields.read_integer("finished_ms", value.finished_ms);
  fields.read("cancel_requested", value.cancel_requested);
  fields.read_integer("queue_position", value.queue_position);
  fields.read("phase", value.phase);
  if (const auto* submitter = fields.find("submitter")) {
    Fields who(*submitter, "a submitter");
    who.read_integer("uid", value.submitter.uid);
    who.read_integer("gid", value.submitter.gid);
    who.read("user", value.submitter.user);
    if (auto ok = who.done(); !ok) return tl::unexpected<Error>(ok.error());
  }
  if (const auto* error = fields.find("error")) value.error = error_from_json(*error);
  if (auto read = read_list(fields, "from_images", from_image_from_json, value.from_images); !read) {
    return tl::unexpected<Error>(read.error());
  }
  if (auto read = read_list(fields, "from_repositories", from_repository_from_json, value.from_repositories); !read) {
    return tl::unexpected<Error>(read.error());
  }
  auto known = job_state_from_name(state);
  if (!known) fields.complain("\"" + state + "\" is no state of a job");
  value.state = known.value_or(JobState::failed);
  auto spec = job_spec_from_json(body);
  if (!spec) return tl::unexpected<Error>(spec.error());
  value.spec = std::move(*spec);
  return finish(fields, value);
}

nlohmann::json to_json(const Artifact& value) {
  nlohmann::json body = {{"id", value.id},         {"name", value.name},        {"local_path", value.local_path},
                         {"digest", value.digest}, {"size", value.size},        {"media_type", value.media_type},
                         {"mode", value.mode},     {"checksum", value.checksum}};
  if (!value.platforms.empty()) body["platforms"] = value.platforms;
  if (value.push) body["push"] = true;
  if (value.insecure) body["insecure"] = true;
  if (value.image_size != 0) body["image_size"] = value.image_size;
  if (value.removed_ms != 0) body["removed_ms"] = value.removed_ms;
  return body;
}

Decoded<Artifact> artifact_from_json(const nlohmann::json& body) {
  Fields fields(body, "an artifact");
  Artifact value;
  fields.require("id");
  fields.require("digest");
  fields.read("id", value.id);
  fields.read("name", value.name);
  fields.read("local_path", value.local_path);
  fields.read("digest", value.digest);
  fields.read("checksum", value.checksum);
  fields.read_integer("size", value.size);
  fields.read("media_type", value.media_type);
  fields.read_integer("mode", value.mode);
  fields.read("platforms", value.platforms);
  fields.read("push", value.push);
  fields.read("insecure", value.insecure);
  fields.read_integer("image_size", value.image_size);
  fields.read_integer("removed_ms", value.removed_ms);
  return finish(fields, value);
}

nlohmann::json to_json(const Event& value) {
  nlohmann::json body = {{"seq", value.seq}, {"time_ms", value.time_ms}, {"type", name_of(value.type)}};
  auto text = [&](const char* key, const std::string& field) {
    if (!field.empty()) body[key] = field;
  };
  text("step", value.step);
  text("target", value.target);
  text("stream", value.stream);
  text("position", value.position);
  if (!value.bytes.empty()) {
    body["base64"] = base64_encode(value.bytes);
  } else if (!value.text.empty() || value.type == EventType::output) {
    body["text"] = value.text;
  }
  if (value.partial) body["partial"] = true;
  if (value.cached) body["cached"] = true;
  if (value.type == EventType::step_end) {
    body["exit_code"] = value.exit_code;
    body["seconds"] = value.seconds;
  }
  if (value.state) body["state"] = name_of(*value.state);
  if (value.error) body["error"] = to_json(*value.error);
  if (value.artifact) body["artifact"] = to_json(*value.artifact);
  return body;
}

Decoded<Event> event_from_json(const nlohmann::json& body) {
  Fields fields(body, "an event");
  Event value;
  std::string type;
  std::string base64;
  std::string state;
  fields.require("seq");
  fields.require("type");
  fields.read_integer("seq", value.seq);
  fields.read_integer("time_ms", value.time_ms);
  fields.read("type", type);
  fields.read("step", value.step);
  fields.read("target", value.target);
  fields.read("stream", value.stream);
  fields.read("text", value.text);
  fields.read("base64", base64);
  fields.read("partial", value.partial);
  fields.read("cached", value.cached);
  fields.read("position", value.position);
  fields.read_integer("exit_code", value.exit_code);
  fields.read("seconds", value.seconds);
  fields.read("state", state);
  if (auto ok = fields.done(); !ok) return tl::unexpected<Error>(ok.error());
  // A type that only a newer daemon knows is shown as a note.
  value.type = event_type_from_name(type).value_or(EventType::note);
  if (!state.empty()) value.state = job_state_from_name(state);
  if (const auto* error = fields.find("error")) value.error = error_from_json(*error);
  if (const auto* artifact = fields.find("artifact")) {
    auto decoded = artifact_from_json(*artifact);
    if (!decoded) return tl::unexpected<Error>(decoded.error());
    value.artifact = std::move(*decoded);
  }
  auto bytes = base64_decode(base64);
  if (!bytes) {
    Error error = std::move(bytes).error();
    error.message = "field \"base64\" of an event: " + error.message;
    return tl::unexpected<Error>(std::move(error));
  }
  value.bytes = std::move(*bytes);
  return value;
}

}  // namespace ingot::proto
