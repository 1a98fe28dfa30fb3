#include "proto/image.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

nlohmann::json to_json(const ImageInfo& value) {
  return {{"name", value.name}, {"digest", value.digest}, {"job", value.job}, {"created_ms", value.created_ms},
          {"size", value.size}, {"layers", value.layers}};
}

Decoded<ImageInfo> image_info_from_json(const nlohmann::json& body) {
  Fields fields(body, "an image");
  ImageInfo value;
  fields.require("name");
  fields.require("digest");
  fields.read("name", value.name);
  fields.read("digest", value.digest);
  fields.read("job", value.job);
  fields.read_integer("created_ms", value.created_ms);
  fields.read_integer("size", value.size);
  fields.read_integer("layers", value.layers);
  return finish(fields, value);
}

}  // namespace ingot::proto
