#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/sandbox/routes.h"

namespace ingot::sandbox {

// A /20 of the private ranges, cut into 1,024 pieces of four addresses: one a step's network.
struct Subnet {
  std::uint32_t address = 0;

  static constexpr unsigned kSlots = 1024;
  std::string range() const;                      // 10.1.16.0/20
  std::string host_address(unsigned slot) const;  // .1 of the slot's /30
  std::string step_address(unsigned slot) const;  // .2 of it
};

// One that touches none of `used`, beginning the search at a place that `seed` decides, so that two daemons of a host
// rarely look at the same ones. Nothing when every private range is in use.
std::optional<Subnet> pick_subnet(const std::string& seed, const std::vector<UsedRange>& used);

}  // namespace ingot::sandbox
