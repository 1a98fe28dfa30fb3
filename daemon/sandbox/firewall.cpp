#include "daemon/sandbox/firewall.h"

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "daemon/base/strings.h"
#include "daemon/sys/fd.h"

namespace ingot::sandbox {

namespace {

// One request of nfnetlink: header, family, and the table's name as its only attribute.
std::string table_request(const std::string& name) {
  nlattr attribute{};
  attribute.nla_type = NFTA_TABLE_NAME;
  attribute.nla_len = static_cast<std::uint16_t>(sizeof attribute + name.size() + 1);
  nfgenmsg generic{};
  generic.nfgen_family = NFPROTO_INET;
  generic.version = NFNETLINK_V0;
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + sizeof generic + NLMSG_ALIGN(attribute.nla_len));
  header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8U) | NFT_MSG_GETTABLE;
  header.nlmsg_flags = NLM_F_REQUEST;
  std::string request(header.nlmsg_len, '\0');
  std::memcpy(request.data(), &header, sizeof header);
  std::memcpy(request.data() + sizeof header, &generic, sizeof generic);
  std::memcpy(request.data() + sizeof header + sizeof generic, &attribute, sizeof attribute);
  name.copy(request.data() + sizeof header + sizeof generic + sizeof attribute, name.size());
  return request;
}

}  // namespace

std::string firewall_table(const std::string& instance) {
  return "ingot_" + instance;
}

std::string firewall_rules(const std::string& instance, const Subnet& subnet) {
  const std::string table = "inet " + firewall_table(instance);
  const std::string ours = "\"ig" + instance + "*\"";
  // Declaring before deleting makes the deletion succeed whether or not a dead daemon left the table.
  return fmt::format(R"(table {0}
delete table {0}
table {0} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname {1} drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname {1} oifname {1} drop
    iifname {1} ip saddr {2} accept
    iifname {1} drop
    oifname {1} ct state established,related accept
    oifname {1} drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {2} oifname != {1} masquerade
  }}
}}
)",
                     table, ours, subnet.range());
}

bool firewall_is_up(const std::string& instance) {
  const sys::UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!netlink) return true;
  const timeval patience{1, 0};
  setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::string request = table_request(firewall_table(instance));
  if (send(netlink.get(), request.data(), request.size(), 0) < 0) return true;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  const ssize_t got = recv(netlink.get(), answer.data(), answer.size(), 0);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return true;
  nlmsghdr header{};
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != NLMSG_ERROR || got < static_cast<ssize_t>(sizeof header + sizeof(nlmsgerr))) return true;
  nlmsgerr error{};
  std::memcpy(&error, answer.data() + sizeof header, sizeof error);
  return error.error != -ENOENT;
}

std::vector<std::string> forward_drops(const std::string& listing, const std::string& instance) {
  std::vector<std::string> found;
  const std::string own = "inet " + firewall_table(instance);
  std::string table;
  std::string chain;
  for (const auto& line : base::split(listing, '\n')) {
    std::istringstream words{std::string(base::trim(line))};
    std::string keyword;
    std::string first;
    std::string second;
    words >> keyword >> first >> second;
    if (keyword == "table") table = fmt::format("{} {}", first, second);
    if (keyword == "chain") chain = first;
    const bool drops = line.find("hook forward") != std::string::npos && line.find("policy drop") != std::string::npos;
    if (drops && table != own) found.push_back(fmt::format("{} {}", table, chain));
  }
  return found;
}

}  // namespace ingot::sandbox
