#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::sandbox {

struct UsedRange {
  std::uint32_t address = 0;
  std::uint32_t mask = 0;
};

// The host's IPv4 routes, as far as steps' networks depend on them.
struct Routes {
  std::vector<UsedRange> networks;  // those that lead to a network of their own; a way to everywhere is not in it
  std::string uplink;               // the interface of the default route; empty: there is none
};
Routes parse_routes(const std::string& proc_net_route);
Routes read_routes();

// What the host's interfaces have as addresses now, with their networks.
std::vector<UsedRange> interface_ranges();
unsigned mtu_of(const std::string& interface);  // 1500 when it is not known

}  // namespace ingot::sandbox
