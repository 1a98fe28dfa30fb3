#include "daemon/image/oci_config.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::image {

namespace {

using nlohmann::json;

// {"80/tcp": {}}: how the format writes a set.
std::vector<std::string> read_set(const json& section, const char* name) {
  std::vector<std::string> values;
  auto found = section.find(name);
  if (found == section.end() || !found->is_object()) return values;
  for (const auto& [value, nothing] : found->items()) values.push_back(value);
  return values;
}

json write_set(const std::vector<std::string>& values) {
  json set = json::object();
  for (const auto& value : values) set[value] = json::object();
  return set;
}

Result<std::optional<graph::Healthcheck>> read_healthcheck(const json& section) {
  auto found = section.find("Healthcheck");
  if (found == section.end() || !found->is_object()) return std::optional<graph::Healthcheck>();
  graph::Healthcheck check;
  proto::Fields fields(*found, "image config Healthcheck");
  fields.read("Test", check.test);
  fields.read_integer("Interval", check.interval_ns);
  fields.read_integer("Timeout", check.timeout_ns);
  fields.read_integer("StartPeriod", check.start_period_ns);
  fields.read_integer("StartInterval", check.start_interval_ns);
  fields.read_integer("Retries", check.retries);
  INGOT_CHECK(fields.done());
  return std::optional(std::move(check));
}

json write_healthcheck(const graph::Healthcheck& check) {
  json body = {{"Test", check.test}};
  if (check.interval_ns != 0) body["Interval"] = check.interval_ns;
  if (check.timeout_ns != 0) body["Timeout"] = check.timeout_ns;
  if (check.start_period_ns != 0) body["StartPeriod"] = check.start_period_ns;
  if (check.start_interval_ns != 0) body["StartInterval"] = check.start_interval_ns;
  if (check.retries != 0) body["Retries"] = check.retries;
  return body;
}

}  // namespace

Result<graph::ImageConfig> read_image_config(const json& document) {
  graph::ImageConfig config;
  const proto::Fields top(document, "image config");
  const json* section = top.find("config");
  if (section == nullptr) return config;
  proto::Fields fields(*section, "image config");
  std::vector<std::string> env;
  std::map<std::string, std::string> labels;
  fields.read("Env", env);
  fields.read("WorkingDir", config.working_dir);
  fields.read("User", config.user);
  fields.read("Entrypoint", config.entrypoint);
  fields.read("Cmd", config.cmd);
  fields.read("Labels", labels);
  fields.read("StopSignal", config.stop_signal);
  INGOT_CHECK(fields.done());
  config.exposed_ports = read_set(*section, "ExposedPorts");
  config.volumes = read_set(*section, "Volumes");
  INGOT_TRY(config.healthcheck, read_healthcheck(*section));
  if (config.working_dir.empty()) config.working_dir = "/";
  for (const auto& pair : env) {
    const std::size_t equals = pair.find('=');
    config.env.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
  config.labels.assign(labels.begin(), labels.end());
  return config;
}

json write_image_config(const graph::ImageConfig& config) {
  json section = {{"WorkingDir", config.working_dir}};
  json env = json::array();
  for (const auto& [name, value] : config.env) env.push_back(name + "=" + value);
  if (!env.empty()) section["Env"] = std::move(env);
  json labels = json::object();
  for (const auto& [name, value] : config.labels) labels[name] = value;
  if (!labels.empty()) section["Labels"] = std::move(labels);
  if (!config.user.empty()) section["User"] = config.user;
  if (!config.entrypoint.empty()) section["Entrypoint"] = config.entrypoint;
  if (!config.cmd.empty()) section["Cmd"] = config.cmd;
  if (!config.stop_signal.empty()) section["StopSignal"] = config.stop_signal;
  if (!config.exposed_ports.empty()) section["ExposedPorts"] = write_set(config.exposed_ports);
  if (!config.volumes.empty()) section["Volumes"] = write_set(config.volumes);
  if (config.healthcheck) section["Healthcheck"] = write_healthcheck(*config.healthcheck);
  return {{"config", std::move(section)}};
}

}  // namespace ingot::image
