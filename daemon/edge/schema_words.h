#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/edge/schema.h"

// What schemas are written with.
namespace ingot::edge::words {

using Kind = Schema::Kind;

inline Schema text() {
  return {.kind = Kind::text};
}
inline Schema secret() {
  return {.kind = Kind::text, .is_secret = true};
}
inline Schema one_of(std::vector<std::string> choices) {
  return {.kind = Kind::text, .choices = std::move(choices)};
}
inline Schema fits(std::string pattern, std::string example) {
  return {.kind = Kind::text, .pattern = std::move(pattern), .example = std::move(example)};
}
inline Schema boolean() {
  return {.kind = Kind::boolean};
}
// One text, or several in a list.
inline Schema texts() {
  return {.kind = Kind::texts};
}
inline Schema integer(int least = 0, int most = 0) {
  return {.kind = Kind::integer, .least = least, .most = most};
}
inline Schema list(Schema each) {
  return {.kind = Kind::list, .each = {std::move(each)}};
}
inline Schema map(Schema each) {
  return {.kind = Kind::map, .each = {std::move(each)}};
}
struct Field {
  std::string name;
  Schema schema;
  bool is_required = false;
};
inline Schema object(std::vector<Field> fields) {
  Schema schema{.kind = Kind::object};
  for (auto& field : fields) {
    schema.fields.push_back(std::move(field.schema));
    schema.fields.back().name = std::move(field.name);
    schema.fields.back().is_required = field.is_required;
  }
  return schema;
}
inline Schema any() {
  return {};
}

}  // namespace ingot::edge::words
