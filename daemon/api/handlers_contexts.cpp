#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "proto/codec.h"

namespace ingot::api {

namespace {

Result<proto::ContextStatus> offer(const Services& services, const Request& request) {
  INGOT_TRY(auto body, proto::parse_json(request.body));
  INGOT_TRY(auto manifest, proto::manifest_from_json(body));
  return services.contexts.offer(manifest);
}

}  // namespace

Response post_context(const Services& services, const Request& request) {
  auto status = offer(services, request);
  if (!status) return error_response(status.error());
  status->takes_descriptors = true;
  return json_response(200, proto::dump(proto::to_json(*status)));
}

Response put_blob(const Services& /*services*/, const Request& request) {
  return json_response(201, proto::dump({{"digest", request.path_values.at("digest")}}));
}

}  // namespace ingot::api
