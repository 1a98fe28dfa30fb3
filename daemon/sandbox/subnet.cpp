#include "daemon/sandbox/subnet.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "daemon/base/digest.h"

namespace ingot::sandbox {

namespace {

constexpr std::uint32_t kPool = 0x0a000000;  // 10.0.0.0/8
constexpr unsigned kBits = 12;               // 4,096 ranges of /20 in it
constexpr std::uint32_t kMask = 0xfffff000;  // /20

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24U, (address >> 16U) & 255U, (address >> 8U) & 255U, address & 255U);
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

Subnet pick_subnet(const std::string& seed, const std::vector<UsedRange>& used) {
  const auto start = std::stoul(base::Digest::of(seed).hex().substr(0, 3), nullptr, 16);
  Subnet subnet;
  for (std::uint32_t i = 0; i < (1U << kBits); ++i) {
    subnet.address = kPool + (((start + i) & ((1U << kBits) - 1)) << (24 - kBits));
    bool free = true;
    for (const auto& range : used) {
      const std::uint32_t common = range.mask & kMask;  // overlapping means equal in the shorter of both prefixes
      free = free && (range.address & common) != (subnet.address & common);
    }
    if (free) break;
  }
  return subnet;
}

std::vector<UsedRange> used_ranges() {
  std::vector<UsedRange> used;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return used;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    const auto* mask = reinterpret_cast<const sockaddr_in*>(entry->ifa_netmask);
    used.push_back({ntohl(address->sin_addr.s_addr), ntohl(mask->sin_addr.s_addr)});
  }
  freeifaddrs(list);
  return used;
}

}  // namespace ingot::sandbox
