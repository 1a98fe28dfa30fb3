#pragma once

#include "daemon/api/http.h"
#include "daemon/api/server.h"

namespace ingot::api {

// A file of the blob store as the request wants it: whole, a range of it, or as a descriptor. `what` says which one.
Result<Response> blob_response(const Services& services, const Request& request, const proto::Artifact& what);

}  // namespace ingot::api
