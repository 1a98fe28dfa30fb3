#pragma once

#include <string>
#include <vector>

#include "daemon/api/http.h"
#include "daemon/api/server.h"

namespace ingot::api {

using Handler = Response (*)(const Services&, const Request&);

enum class BodyKind {
  none_or_json,  // collected, bounded by max_body_bytes
  manifest,      // collected, bounded by max_manifest_bytes
  blob,          // streamed into the blob store, never collected
};

enum class Pace {
  quick,
  slow,  // may fetch an image: has threads of its own
};

struct Route {
  const char* method;
  const char* path;  // "/v1/jobs/{id}"
  BodyKind body;
  Handler handler;  // for `blob`: what answers once the blob is kept
  Pace pace = Pace::quick;
};

const std::vector<Route>& route_table();

struct Match {
  const Route* route = nullptr;
  std::optional<Response> refusal;  // set when there is no route: 404 with the nearest one, or 405 with Allow
};
// Fills in the request's path values.
Match find_route(Request& request);

}  // namespace ingot::api
