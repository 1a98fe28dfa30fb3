#include "daemon/sandbox/subnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/base/digest.h"

namespace ingot::sandbox {

namespace {

constexpr std::uint32_t kMask = 0xfffff000;  // /20

struct Pool {
  std::uint32_t address;
  unsigned prefix;
};
// The widest first; the last is for measuring networks, and so in use almost nowhere.
constexpr std::array<Pool, 4> kPools = {{{0x0a000000, 8},     // 10.0.0.0/8
                                         {0xac100000, 12},    // 172.16.0.0/12
                                         {0xc0a80000, 16},    // 192.168.0.0/16
                                         {0xc6120000, 15}}};  // 198.18.0.0/15

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24U, (address >> 16U) & 255U, (address >> 8U) & 255U, address & 255U);
}

bool overlap(std::uint32_t address, const UsedRange& range) {
  const std::uint32_t common = range.mask & kMask;  // overlapping means equal in the shorter of both prefixes
  return (range.address & common) == (address & common);
}

}  // namespace

std::string Subnet::range() const {
  return dotted(address) + "/20";
}
std::string Subnet::host_address(unsigned slot) const {
  return dotted(address + slot * 4 + 1);
}
std::string Subnet::step_address(unsigned slot) const {
  return dotted(address + slot * 4 + 2);
}

std::optional<Subnet> pick_subnet(const std::string& seed, const std::vector<UsedRange>& used) {
  const auto start = static_cast<std::uint32_t>(std::stoul(base::Digest::of(seed).hex().substr(0, 6), nullptr, 16));
  for (const auto& pool : kPools) {
    const std::uint32_t count = 1U << (20 - pool.prefix);
    for (std::uint32_t i = 0; i < count; ++i) {
      const Subnet subnet{pool.address + (((start + i) % count) << 12U)};
      if (std::none_of(used.begin(), used.end(), [&](const auto& range) { return overlap(subnet.address, range); })) {
        return subnet;
      }
    }
  }
  return std::nullopt;
}

}  // namespace ingot::sandbox
