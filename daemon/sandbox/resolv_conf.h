#pragma once

#include <string>
#include <vector>

namespace ingot::sandbox {

// The resolv.conf of steps: `host_text` without name servers on the host's loopback, which a step cannot reach.
struct ResolvConf {
  std::string text;
  bool has_servers = false;
};
ResolvConf make_resolv_conf(const std::string& host_text, const std::vector<std::string>& configured_servers);

}  // namespace ingot::sandbox
