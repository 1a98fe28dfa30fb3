#include <array>

#include "daemon/sandbox/sandbox.h"

namespace ingot::sandbox {

namespace {
constexpr std::array<const char*, 3> kNetworkNames = {"none", "egress", "host"};
}

std::optional<Network> network_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNetworkNames.size(); ++i) {
    if (name == kNetworkNames.at(i)) return static_cast<Network>(i);
  }
  return std::nullopt;
}

const char* name_of(Network network) {
  return kNetworkNames.at(static_cast<std::size_t>(network));
}

}  // namespace ingot::sandbox
