#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::sandbox {

// A /20 of 10.0.0.0/8, cut into 1,024 pieces of four addresses: one a step's network.
struct Subnet {
  std::uint32_t address = 0;

  static constexpr unsigned kSlots = 1024;
  std::string range() const;                      // 10.1.16.0/20
  std::string host_address(unsigned slot) const;  // .1 of the slot's /30
  std::string step_address(unsigned slot) const;  // .2 of it
};

struct UsedRange {
  std::uint32_t address = 0;
  std::uint32_t mask = 0;
};

// One that touches none of `used`, beginning the search at a place that `seed` decides, so that two daemons of a host
// rarely look at the same ones.
Subnet pick_subnet(const std::string& seed, const std::vector<UsedRange>& used);

// What the host's interfaces use now.
std::vector<UsedRange> used_ranges();

}  // namespace ingot::sandbox
