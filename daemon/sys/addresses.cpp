#include "daemon/sys/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ingot::sys {

namespace {

std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (bytes == nullptr) return "";
  return inet_ntop(address.sa_family, bytes, text.data(), text.size()) != nullptr ? text.data() : "";
}

bool is_at_home_v4(std::uint32_t address) {
  constexpr std::uint32_t kLink = 0xa9fe0000;  // 169.254.0.0/16
  const std::uint32_t first = address >> 24U;
  return first == 127 || first == 0 || (address & 0xffff0000U) == kLink;
}

}  // namespace

std::vector<std::string> interface_addresses() {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (auto text = text_of(*entry->ifa_addr); !text.empty()) found.push_back(std::move(text));
  }
  freeifaddrs(list);
  return found;
}

std::vector<std::string> addresses_of(const std::string& host) {
  std::vector<std::string> found;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &list) != 0) return found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (auto text = text_of(*entry->ai_addr); !text.empty()) found.push_back(std::move(text));
  }
  freeaddrinfo(list);
  return found;
}

bool is_at_home(const std::string& address, const std::vector<std::string>& own) {
  if (std::find(own.begin(), own.end(), address) != own.end()) return true;
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return is_at_home_v4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::array<char, INET_ADDRSTRLEN> text{};
    std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
    return inet_ntop(AF_INET, &v4, text.data(), text.size()) != nullptr && is_at_home(text.data(), own);
  }
  return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6);
}

}  // namespace ingot::sys
