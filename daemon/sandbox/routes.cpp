#include "daemon/sandbox/routes.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <limits>
#include <sstream>

#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::sandbox {

namespace {

// A shorter prefix is a way out, such as the two halves of the world that some VPNs put before the default route.
constexpr std::uint32_t kShortestNetwork = 0xff000000;

}  // namespace

Routes parse_routes(const std::string& proc_net_route) {
  Routes routes;
  unsigned best_metric = std::numeric_limits<unsigned>::max();
  for (const auto& line : base::split(proc_net_route, '\n')) {
    // Iface Destination Gateway Flags RefCnt Use Metric Mask; addresses are hexadecimal, in network order.
    std::istringstream words(line);
    std::string interface;
    std::string unused;
    std::uint32_t destination = 0;
    std::uint32_t mask = 0;
    unsigned metric = 0;
    words >> interface >> std::hex >> destination >> unused >> unused >> unused >> unused >> std::dec >> metric >>
        std::hex >> mask;
    if (!words) continue;  // the heading
    if (ntohl(mask) >= kShortestNetwork) {
      routes.networks.push_back({ntohl(destination), ntohl(mask)});
    } else if (mask == 0 && destination == 0 && metric < best_metric) {
      best_metric = metric;
      routes.uplink = interface;
    }
  }
  return routes;
}

Routes read_routes() {
  return parse_routes(sys::read_file("/proc/thread-self/net/route").value_or(""));
}

std::vector<UsedRange> interface_ranges() {
  std::vector<UsedRange> used;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return used;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool is_v4 = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET;
    if (!is_v4 || entry->ifa_netmask == nullptr) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    const auto* mask = reinterpret_cast<const sockaddr_in*>(entry->ifa_netmask);
    used.push_back({ntohl(address->sin_addr.s_addr), ntohl(mask->sin_addr.s_addr)});
  }
  freeifaddrs(list);
  return used;
}

unsigned mtu_of(const std::string& interface) {
  constexpr unsigned kUsual = 1500;
  const sys::UniqueFd any_socket(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if (!any_socket || interface.empty() || interface.size() >= sizeof request.ifr_name) return kUsual;
  std::memcpy(request.ifr_name, interface.c_str(), interface.size());
  if (ioctl(any_socket.get(), SIOCGIFMTU, &request) != 0 || request.ifr_mtu <= 0) return kUsual;
  return static_cast<unsigned>(request.ifr_mtu);
}

}  // namespace ingot::sandbox
