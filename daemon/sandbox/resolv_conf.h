#pragma once

#include <string>
#include <vector>

namespace ingot::sandbox {

// The resolv.conf of steps that are not on the host's network: `host_text` without the name servers that they cannot
// reach, which are those on loopback, on `host_addresses` (the host's own), and on IPv6.
struct ResolvConf {
  std::string text;
  bool has_servers = false;
};
ResolvConf make_resolv_conf(const std::string& host_text, const std::vector<std::string>& configured_servers,
                            const std::vector<std::string>& host_addresses = {});

// The same from the host's files as they are now. systemd-resolved's stub listens on loopback; the servers behind it
// are in a file of their own.
ResolvConf read_resolv_conf(const std::vector<std::string>& configured_servers);

}  // namespace ingot::sandbox
