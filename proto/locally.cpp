#include "proto/locally.h"

#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

const char* name_of(LocalErrand::Kind kind) {
  switch (kind) {
    case LocalErrand::Kind::take:
      return "take";
    case LocalErrand::Kind::give:
      return "give";
    case LocalErrand::Kind::load:
      return "load";
    case LocalErrand::Kind::agent:
      return "agent";
    case LocalErrand::Kind::known_hosts:
      return "known_hosts";
    case LocalErrand::Kind::run:
      break;
  }
  return "run";
}

nlohmann::json to_json(const LocalErrand& value) {
  return {{"kind", name_of(value.kind)},      {"directory", value.directory},
          {"command", value.command},         {"env", value.env},
          {"source", value.source},           {"if_exists", value.if_exists},
          {"destination", value.destination}, {"dir", value.dir}};
}

Decoded<LocalErrand> local_errand_from_json(const nlohmann::json& body) {
  Fields fields(body, "an errand");
  LocalErrand value;
  std::string kind;
  fields.require("kind");
  fields.read("kind", kind);
  bool known = false;
  for (const auto one : {LocalErrand::Kind::run, LocalErrand::Kind::take, LocalErrand::Kind::give,
                         LocalErrand::Kind::load, LocalErrand::Kind::agent, LocalErrand::Kind::known_hosts}) {
    if (kind == name_of(one)) value.kind = one;
    known = known || kind == name_of(one);
  }
  if (!known) fields.complain("field \"kind\" of an errand must be run, take, give, load, agent or known_hosts");
  fields.read("directory", value.directory);
  fields.read("command", value.command);
  fields.read("env", value.env);
  fields.read("source", value.source);
  fields.read("if_exists", value.if_exists);
  fields.read("destination", value.destination);
  fields.read("dir", value.dir);
  return finish(fields, value);
}

nlohmann::json to_json(const LocalOutcome& value) {
  nlohmann::json body = {{"exit_code", value.exit_code}};
  if (value.error) body["error"] = to_json(*value.error);
  return body;
}

Decoded<LocalOutcome> local_outcome_from_json(const nlohmann::json& body) {
  Fields fields(body, "an errand's outcome");
  LocalOutcome value;
  fields.read_integer("exit_code", value.exit_code);
  if (const auto* error = fields.find("error")) value.error = error_from_json(*error);
  return finish(fields, value);
}

}  // namespace ingot::proto
