#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "daemon/edge/schema.h"

namespace ingot::edge {

namespace {

using Json = nlohmann::ordered_json;
using Kind = Schema::Kind;

Json body_of(const Schema& schema);

Json object_body(const Schema& schema) {
  Json body = {{"type", "object"}, {"properties", Json::object()}};
  for (const auto& field : schema.fields) {
    body["properties"][field.name] = body_of(field);
    if (field.is_required) body["required"].push_back(field.name);
  }
  return body;
}

Json text_body(const Schema& schema) {
  // YAML has no text without quotes that looks like a number or a truth; as text it is meant all the same.
  Json body = {{"type", {"string", "number", "boolean"}}};
  if (!schema.choices.empty()) body = {{"enum", schema.choices}};
  if (!schema.pattern.empty()) body["pattern"] = "^(" + schema.pattern + ")$";
  if (!schema.example.empty()) body["examples"] = {schema.example};
  return body;
}

Json body_of(const Schema& schema) {
  switch (schema.kind) {
    case Kind::text:
      return text_body(schema);
    case Kind::texts:
      return {{"oneOf", {text_body(schema), {{"type", "array"}, {"items", text_body(schema)}}}}};
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::integer: {
      Json body = {{"type", "integer"}, {"minimum", schema.least}};
      if (schema.most != 0) body["maximum"] = schema.most;
      return body;
    }
    case Kind::list:
      return {{"type", "array"}, {"items", body_of(schema.each.front())}};
    case Kind::map:
      return {{"type", "object"}, {"additionalProperties", body_of(schema.each.front())}};
    case Kind::stages:
      return {{"type", "object"},
              {"patternProperties",
               {{"^(" + base::join(stage_names(), "|") + ")(\\.before|\\.after)?$",
                 {{"type", "array"}, {"items", body_of(schema.each.front())}}}}},
              {"additionalProperties", false}};
    case Kind::object:
      return object_body(schema);
    case Kind::any:
      break;
  }
  return Json::object();
}

}  // namespace

nlohmann::ordered_json json_schema(const Schema& schema, const std::string& title) {
  Json body = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  body.update(body_of(schema));
  return body;
}

}  // namespace ingot::edge
