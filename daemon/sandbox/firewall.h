#pragma once

#include <string>
#include <vector>

#include "daemon/sandbox/subnet.h"

namespace ingot::sandbox {

// The rules for steps' networks: one nftables table a daemon, `inet ingot_<instance>`. Interfaces of steps are named
// ig<instance><slot>.
std::string firewall_table(const std::string& instance);

// What `nft -f` takes. It replaces the whole table at once, also one that a dead daemon left. Steps may go out by
// masquerading, and get the answers; they reach no address of the host itself and no other step.
std::string firewall_rules(const std::string& instance, const Subnet& subnet);

// Whether the kernel has the table: an administrator's `nft flush ruleset` takes it, and with it what keeps steps from
// the host. When the kernel does not say, it is taken to be there. Microseconds, no program is run.
bool firewall_is_up(const std::string& instance);

// Chains of others that drop forwarded packets unless they know them, as "family table chain": with one of these, steps
// reach nothing. `listing` is what `nft list chains` prints.
std::vector<std::string> forward_drops(const std::string& listing, const std::string& instance);

}  // namespace ingot::sandbox
