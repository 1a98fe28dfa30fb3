#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "proto/codec.h"

// What daemon and client say to each other about LOCALLY, and about the user's SSH agent, on a connection that
// POST /v1/jobs/{id}/local has made theirs alone: frames, each of an errand that the daemon has numbered. Errands go on
// side by side.
namespace ingot::proto {

// How the connection is asked for, in the header Upgrade.
inline constexpr const char* kLocalProtocol = "ingot-local/1";

enum class LocalFrame : std::uint8_t {
  ready = 0,   // client, first of all: the connection is its own now
  errand = 1,  // daemon: a LocalErrand
  bytes = 2,   // of a tar: of what the client is given, or of what it was asked for; of an agent: one whole message,
               // which the client answers with one
  end = 3,     // of the tar
  out = 4,     // client: what its command prints
  err = 5,
  outcome = 6,  // client: a LocalOutcome, the last of its errand
  cancel = 7,   // daemon: nobody needs it any more; the client still tells its outcome
};

// What the client is to do. An agent is spoken to until the daemon cancels it, or the agent goes.
struct LocalErrand {
  enum class Kind { run, take, give, load, agent, known_hosts };
  Kind kind = Kind::run;
  std::string directory;                   // of the project, "" for its own; or absolute
  std::string command;                     // run: for /bin/sh
  std::map<std::string, std::string> env;  // run: besides the client's own
  // take: a path or a glob; all that it matches comes as a tar. load: the digest of an image's manifest, whose blobs
  // the daemon has for as long as the errand lasts. known_hosts: a host, as "name" or "[name]:port"; the lines that ssh
  // knows it by come as bytes.
  std::string source;
  bool if_exists = false;   // take: nothing is no error
  std::string destination;  // give: where what is at the top of the tar goes. load: the name of the image
  bool dir = false;         // give: directories themselves, not their contents
};
const char* name_of(LocalErrand::Kind kind);

struct LocalOutcome {
  int exit_code = 0;           // run
  std::optional<Error> error;  // why it could not be done at all
};

nlohmann::json to_json(const LocalErrand& value);
Decoded<LocalErrand> local_errand_from_json(const nlohmann::json& body);
nlohmann::json to_json(const LocalOutcome& value);
Decoded<LocalOutcome> local_outcome_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
