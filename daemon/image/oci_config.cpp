#include "daemon/image/oci_config.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::image {

Result<graph::ImageConfig> read_image_config(const nlohmann::json& document) {
  graph::ImageConfig config;
  const proto::Fields top(document, "image config");
  const nlohmann::json* section = top.find("config");
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
  INGOT_CHECK(fields.done());
  if (config.working_dir.empty()) config.working_dir = "/";
  for (const auto& pair : env) {
    const std::size_t equals = pair.find('=');
    config.env.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
  config.labels.assign(labels.begin(), labels.end());
  return config;
}

}  // namespace ingot::image
