#include "proto/results.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

namespace {

nlohmann::json to_json(const ImageLayer& value) {
  return {{"digest", value.digest}, {"size", value.size}, {"media_type", value.media_type}};
}

Decoded<ImageLayer> image_layer_from_json(const nlohmann::json& body) {
  Fields fields(body, "a layer");
  ImageLayer value;
  fields.require("digest");
  fields.read("digest", value.digest);
  fields.read_integer("size", value.size);
  fields.read("media_type", value.media_type);
  return finish(fields, value);
}

nlohmann::json to_json(const JobImage& value) {
  nlohmann::json body = {{"name", value.name}, {"digest", value.digest}, {"platform", value.platform},
                         {"size", value.size}, {"config", value.config}, {"annotations", value.annotations}};
  if (!value.index.empty()) body["index"] = value.index;
  body["layers"] = nlohmann::json::array();
  for (const auto& layer : value.layers) body["layers"].push_back(to_json(layer));
  return body;
}

Decoded<JobImage> job_image_from_json(const nlohmann::json& body) {
  Fields fields(body, "an image of a job");
  JobImage value;
  fields.require("name");
  fields.require("digest");
  fields.read("name", value.name);
  fields.read("digest", value.digest);
  fields.read("index", value.index);
  fields.read("platform", value.platform);
  fields.read_integer("size", value.size);
  fields.read("config", value.config);
  fields.read("annotations", value.annotations);
  if (auto ok = read_list(fields, "layers", image_layer_from_json, value.layers); !ok) {
    return tl::unexpected<Error>(ok.error());
  }
  return finish(fields, value);
}

}  // namespace

nlohmann::json to_json(const JobResults& value) {
  nlohmann::json body = {{"artifacts", nlohmann::json::array()}, {"images", nlohmann::json::array()}};
  for (const auto& artifact : value.artifacts) body["artifacts"].push_back(to_json(artifact));
  for (const auto& image : value.images) body["images"].push_back(to_json(image));
  if (!value.pack_manifest.empty()) body["pack_manifest"] = value.pack_manifest;
  return body;
}

Decoded<JobResults> job_results_from_json(const nlohmann::json& body) {
  Fields fields(body, "a job");
  JobResults value;
  fields.read("pack_manifest", value.pack_manifest);
  if (auto ok = read_list(fields, "artifacts", artifact_from_json, value.artifacts); !ok) {
    return tl::unexpected<Error>(ok.error());
  }
  if (auto ok = read_list(fields, "images", job_image_from_json, value.images); !ok) {
    return tl::unexpected<Error>(ok.error());
  }
  return finish(fields, value);
}

}  // namespace ingot::proto
