#include "daemon/sandbox/resolv_conf.h"

#include <algorithm>
#include <sstream>

#include "daemon/base/strings.h"
#include "daemon/sys/addresses.h"
#include "daemon/sys/files.h"

namespace ingot::sandbox {

ResolvConf make_resolv_conf(const std::string& host_text, const std::vector<std::string>& configured_servers,
                            const std::vector<std::string>& host_addresses) {
  ResolvConf made;
  for (const auto& server : configured_servers) made.text += "nameserver " + server + "\n";
  made.has_servers = !configured_servers.empty();
  for (const auto& line : base::split(host_text, '\n')) {
    std::istringstream words(line);
    std::string keyword;
    std::string value;
    words >> keyword >> value;
    if (keyword == "nameserver") {
      const bool own = value.starts_with("127.") || value == "0.0.0.0" ||
                       std::find(host_addresses.begin(), host_addresses.end(), value) != host_addresses.end();
      const bool version_6 = value.find(':') != std::string::npos;
      if (own || version_6 || !configured_servers.empty()) continue;
      made.has_servers = true;
    } else if (keyword != "search" && keyword != "domain" && keyword != "options") {
      continue;
    }
    made.text += line + "\n";
  }
  return made;
}

ResolvConf read_resolv_conf(const std::vector<std::string>& configured_servers) {
  const auto own = sys::interface_addresses();
  auto made = make_resolv_conf(sys::read_file("/etc/resolv.conf").value_or(""), configured_servers, own);
  if (made.has_servers) return made;
  if (auto behind = sys::read_file("/run/systemd/resolve/resolv.conf")) {
    auto other = make_resolv_conf(*behind, configured_servers, own);
    if (other.has_servers) return other;
  }
  return made;
}

}  // namespace ingot::sandbox
