#pragma once

#include <string>
#include <vector>

namespace ingot::sys {

// Addresses are IPv4 or IPv6, as text.

// What the host's interfaces have now.
std::vector<std::string> interface_addresses();
// What a name, or an address however it is written, stands for; empty: nobody knows. May take as long as name servers
// do.
std::vector<std::string> addresses_of(const std::string& host);
// Whether it is never another host's as seen from everywhere: loopback, the link, nothing at all, or one of `own`.
bool is_at_home(const std::string& address, const std::vector<std::string>& own);

}  // namespace ingot::sys
