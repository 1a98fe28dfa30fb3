#include "daemon/earthfile/image_settings.h"

#include <charconv>

#include "daemon/base/strings.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

namespace {

Result<std::int64_t> nanoseconds(const std::string& name, const std::string& text, const Place& place) {
  auto seconds = base::parse_duration(text);
  if (seconds) return static_cast<std::int64_t>(*seconds * 1e9);
  return fail_at(place, ErrorKind::invalid, "--" + name + " takes a time, not \"" + base::printable(text) + "\"",
                 "such as 30s");
}

}  // namespace

Result<std::string> exposed_port(const std::string& text, const Place& place) {
  const std::string number = text.substr(0, text.find('/'));
  const std::string protocol = number.size() < text.size() ? text.substr(number.size() + 1) : "tcp";
  unsigned value = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  const bool is_number = error == std::errc() && end == number.data() + number.size() && value <= 65535;
  if (is_number && (protocol == "tcp" || protocol == "udp" || protocol == "sctp")) return number + "/" + protocol;
  return fail_at(place, ErrorKind::invalid, "\"" + base::printable(text) + "\" is no port",
                 "such as 80, 80/tcp or 53/udp");
}

Status set_health_option(graph::Healthcheck& check, const std::string& name, const std::string& text,
                         const Place& place) {
  if (name == "retries") {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), check.retries);
    if (error == std::errc() && end == text.data() + text.size() && check.retries >= 0) return {};
    return fail_at(place, ErrorKind::invalid, "--retries takes a number, not \"" + base::printable(text) + "\"",
                   "such as 3");
  }
  INGOT_TRY(auto time, nanoseconds(name, text, place));
  if (name == "interval") check.interval_ns = time;
  if (name == "timeout") check.timeout_ns = time;
  if (name == "start-period") check.start_period_ns = time;
  if (name == "start-interval") check.start_interval_ns = time;
  return {};
}

}  // namespace ingot::earthfile
