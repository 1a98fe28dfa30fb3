#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::proto {

// What went wrong, as far as a program must tell cases apart. One table (error.cpp) maps each kind to its
// name on the wire, its HTTP status and the client's exit code; the man page and api.yaml are held to that
// table by tests.
enum class ErrorKind {
  usage,               // the command line is wrong; never leaves the client
  invalid,             // a request, a configuration or a project file says something impossible
  syntax,              // an Earthfile or configuration file does not parse
  not_found,           // a job, target, artifact, image or file that is not there
  method_not_allowed,  // a route that exists, with a method that does not
  conflict,            // the state forbids it (already finished, idempotency key reused for something else)
  denied,              // the caller, or the host's configuration, does not allow it
  too_large,           // over a configured bound
  no_space,            // the disk is full
  unsupported,         // this version or this host cannot do it
  unavailable,         // no daemon, or one that takes no work now; worth a retry
  step_failed,         // a step of the build ended with a non-zero status
  timed_out,
  canceled,
  internal,  // a defect of Ingot
};

struct ErrorKindInfo {
  ErrorKind kind;
  std::string_view name;
  int http_status;
  int exit_code;
  std::string_view meaning;  // one sentence, for the man page
};

const std::vector<ErrorKindInfo>& error_kinds();
const ErrorKindInfo& info(ErrorKind kind);
// An unknown name, which only a newer daemon can send, is `internal`.
ErrorKind error_kind_from_name(std::string_view name);

// Where in a user's file the cause stands. Lines and columns count from 1; 0 is "not known".
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  std::string source_line;  // the text of that line, for the caret
};

// The one shape of every failure, in process and on the wire.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;               // what was tried, on what, and why it failed
  std::string hint;                  // what to do about it; may be empty
  std::optional<Position> position;  // set when a user's file is at fault
  std::vector<std::string> context;  // from the inside out: "while copying overlay/", "in target +iso"
  int exit_code = 0;                 // of a step's command that failed; 0: it was none
};

// "Earthfile:3".
inline std::string place_of(const Position& position) {
  return position.file + ":" + std::to_string(position.line);
}

nlohmann::json to_json(const Error& error);
Error error_from_json(const nlohmann::json& body);

// `Earthfile:3:7: message`, the source line with its caret, the context, and `hint: ...`; no trailing
// newline.
std::string render(const Error& error);

}  // namespace ingot::proto
