#include "daemon/sandbox/resolv_conf.h"

#include <sstream>

#include "daemon/base/strings.h"

namespace ingot::sandbox {

ResolvConf make_resolv_conf(const std::string& host_text, const std::vector<std::string>& configured_servers) {
  ResolvConf made;
  for (const auto& server : configured_servers) made.text += "nameserver " + server + "\n";
  made.has_servers = !configured_servers.empty();
  for (const auto& line : base::split(host_text, '\n')) {
    std::istringstream words(line);
    std::string keyword;
    std::string value;
    words >> keyword >> value;
    if (keyword == "nameserver") {
      const bool loopback = value.starts_with("127.") || value == "::1";
      if (loopback || !configured_servers.empty()) continue;
      made.has_servers = true;
    } else if (keyword != "search" && keyword != "domain" && keyword != "options") {
      continue;
    }
    made.text += line + "\n";
  }
  return made;
}

}  // namespace ingot::sandbox
