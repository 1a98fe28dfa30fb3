#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "daemon/base/metrics.h"
#include "proto/codec.h"

namespace ingot::api {

Response get_version(const Services& services, const Request& /*request*/) {
  return json_response(200, proto::dump(proto::to_json(services.version)));
}

Response get_doctor(const Services& services, const Request& /*request*/) {
  auto list = nlohmann::json::array();
  for (const auto& check : services.doctor()) list.push_back(proto::to_json(check));
  return json_response(200, proto::dump({{"checks", list}}));
}

Response get_metrics(const Services& services, const Request& /*request*/) {
  Response response;
  response.headers.emplace_back("Content-Type", base::MetricsText::kContentType);
  response.body = services.metrics ? services.metrics() : std::string();
  return response;
}

std::optional<Response> refuse_api(const Services& services, const Request& request) {
  const std::string text = request.header("ingot-api");
  if (text.empty()) return std::nullopt;  // curl and the like
  const long asked = std::strtol(text.c_str(), nullptr, 10);
  if (asked >= services.version.api_oldest && asked <= services.version.api) return std::nullopt;
  const bool old_client = asked < services.version.api_oldest;
  Error error;
  error.kind = ErrorKind::unsupported;
  error.message = fmt::format("this client speaks API {}, ingotd {} serves API {} to {}", asked,
                              services.version.version, services.version.api_oldest, services.version.api);
  error.hint = old_client ? "install a newer `ingot`" : "update ingotd, or use the `ingot` that came with it";
  return error_response(error);
}

}  // namespace ingot::api
