#include "proto/image.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

nlohmann::json to_json(const ImageInfo& value) {
  nlohmann::json body = {{"name", value.name}, {"digest", value.digest},
                         {"job", value.job},   {"created_ms", value.created_ms},
                         {"size", value.size}, {"layers", value.layers}};
  if (!value.platforms.empty()) body["platforms"] = value.platforms;
  return body;
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
  fields.read("platforms", value.platforms);
  return finish(fields, value);
}

nlohmann::json to_json(const ImagePush& value) {
  return {{"digest", value.digest}, {"name", value.name}, {"insecure", value.insecure}};
}

Decoded<ImagePush> image_push_from_json(const nlohmann::json& body) {
  Fields fields(body, "a push");
  ImagePush value;
  fields.require("digest");
  fields.require("name");
  fields.read("digest", value.digest);
  fields.read("name", value.name);
  fields.read("insecure", value.insecure);
  return finish(fields, value);
}

nlohmann::json to_json(const ImagePushed& value) {
  return {{"name", value.name}, {"digest", value.digest}, {"bytes", value.bytes}, {"sent_bytes", value.sent_bytes}};
}

nlohmann::json to_json(const PushNews& value) {
  nlohmann::json body = nlohmann::json::object();
  if (!value.text.empty()) body["text"] = value.text;
  if (value.pushed) body["pushed"] = to_json(*value.pushed);
  if (value.error) body["error"] = to_json(*value.error);
  return body;
}

Decoded<PushNews> push_news_from_json(const nlohmann::json& body) {
  Fields fields(body, "news of a push");
  PushNews value;
  fields.read("text", value.text);
  if (const auto* error = fields.find("error")) value.error = error_from_json(*error);
  if (const auto* pushed = fields.find("pushed")) {
    Fields parts(*pushed, "what was pushed");
    ImagePushed done;
    parts.read("name", done.name);
    parts.read("digest", done.digest);
    parts.read_integer("bytes", done.bytes);
    parts.read_integer("sent_bytes", done.sent_bytes);
    if (auto ok = parts.done(); !ok) return tl::unexpected<Error>(ok.error());
    value.pushed = std::move(done);
  }
  return finish(fields, value);
}

}  // namespace ingot::proto
