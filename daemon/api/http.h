#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/jobs/job_log.h"
#include "daemon/store/blobs.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"
#include "proto/types.h"

// Requests and answers as the handlers see them, free of sockets and of Beast.
namespace ingot::api {

struct Request {
  std::string method;
  std::string path;                                // percent-encoded, as it came
  std::map<std::string, std::string> query;        // decoded
  std::map<std::string, std::string> path_values;  // of the route's {parameters}, decoded
  std::map<std::string, std::string> headers;      // names in lower case
  std::string body;
  proto::Submitter submitter;

  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// Part of a file, sent without being copied through this process.
struct FilePart {
  sys::UniqueFd fd;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A file itself, open for reading: it travels beside the head, and the caller, who is on this host, copies as it likes.
struct PassedFile {
  sys::UniqueFd fd;
};

// A job's log from some event on. `live` is null for a job that has ended.
struct LogStream {
  jobs::LogReader reader;
  std::shared_ptr<jobs::JobLog> live;
  bool follow = false;
};

// Work that is done while its client listens: each line goes out as it is told, and the last says what came of it. It
// is canceled when the client goes.
struct TaskStream {
  using Tell = std::function<void(const std::string& line)>;  // on any thread, until the work returns
  std::function<void(const Tell& tell, const sys::CancelToken& cancel)> work;
};

// Once the head is sent the connection is the taker's, and no request comes over it any more.
struct Handover {
  std::function<void(sys::UniqueFd connection)> take;  // on a worker
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::string, FilePart, PassedFile, LogStream, TaskStream, Handover> body;
};

Response json_response(int status, std::string text);
Response error_response(const Error& error);
const char* reason_phrase(int status);

// "%2F" to "/" and, in a query, "+" to a space.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
// A query value that is a number; `fallback` when it is not given.
Result<std::uint64_t> query_number(const Request& request, const std::string& name, std::uint64_t fallback);
// Splits "/v1/jobs?limit=3" into its path and its query.
Status split_target(const std::string& target, Request& request);

}  // namespace ingot::api
