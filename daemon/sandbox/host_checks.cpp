#include <fmt/format.h>
#include <sys/prctl.h>

#include "daemon/base/strings.h"
#include "daemon/sandbox/firewall.h"
#include "daemon/sandbox/oci_sandbox.h"
#include "daemon/sandbox/resolv_conf.h"
#include "daemon/sys/mounts.h"

namespace ingot::sandbox {

namespace {

proto::HostCheck check_overlay(const fs::path& base_directory) {
  proto::HostCheck check{"overlayfs", false, true, "", ""};
  auto scratch = sys::TempDir::create(base_directory, "doctor-");
  if (!scratch) {
    check.detail = scratch.error().message;
    check.cure = "the state directory must be writable for the daemon";
    return check;
  }
  for (const char* name : {"lower", "upper", "work", "merged"}) (void)sys::make_directories(scratch->path() / name);
  auto mounted = sys::mount_overlay({scratch->path() / "lower"}, scratch->path() / "upper", scratch->path() / "work",
                                    scratch->path() / "merged", base_directory);
  check.ok = mounted.has_value();
  check.detail = check.ok ? "works on the state directory's file system" : mounted.error().message;
  if (!check.ok) {
    check.cure = "put the state directory on ext4 or xfs (ftype=1), not on another overlay or NFS, and run as root";
  }
  return check;
}

proto::HostCheck check_seccomp() {
  const bool ok = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
  return {"seccomp", ok, true, ok ? "the kernel filters system calls" : "the kernel cannot filter system calls",
          ok ? "" : "use a kernel with CONFIG_SECCOMP_FILTER"};
}

proto::HostCheck check_cgroups(const sys::Cgroups& cgroups, const Status& usable) {
  if (!usable) return {"cgroups", false, true, usable.error().message, usable.error().hint};
  const auto controllers = cgroups.controllers();
  const bool all = controllers.size() >= 3;
  return {"cgroups", all, true,
          fmt::format("layout {}, controllers: {}", cgroups.layout_name(), base::join(controllers, ", ")),
          all ? "" : "enable the memory, cpu and pids controllers (kernel parameter cgroup_enable=memory)"};
}

proto::HostCheck check_forwarding(const std::string& instance, sys::ProcessRunner& processes) {
  sys::Command command;
  command.argv = {"nft", "list", "chains"};
  command.timeout = std::chrono::seconds(10);
  proto::HostCheck check{"forwarding", true, false, "no other firewall drops the packets of steps", ""};
  auto listing = sys::capture(processes, command);
  const auto drops = listing ? forward_drops(listing->out, instance) : std::vector<std::string>();
  if (drops.empty()) return check;
  check.ok = false;
  check.detail = "these chains drop what they do not know: " + base::join(drops, ", ");
  check.cure = fmt::format(
      "let packets from and to the interfaces ig{0}* pass there, with Docker for one: iptables -I "
      "DOCKER-USER -i ig{0}+ -j ACCEPT, and the same with -o",
      instance);
  return check;
}

}  // namespace

std::vector<proto::HostCheck> OciSandbox::network_checks() {
  std::vector<proto::HostCheck> list;
  auto lease = networks_.acquire();
  list.push_back({"network", lease.has_value(), false,
                  lease ? "steps reach the world through a veth and nftables" : lease.error().message,
                  lease ? "" : lease.error().hint});
  list.push_back(check_forwarding(settings_.instance, *processes_));
  const bool servers = read_resolv_conf(settings_.dns).has_servers;
  list.push_back({"name servers", servers, false,
                  servers ? "steps use the host's" : "the host's are on its own addresses, where steps cannot reach",
                  servers ? "" : "name some in network.dns of the daemon's configuration"});
  return list;
}

std::vector<proto::HostCheck> OciSandbox::checks() {
  await_ready();
  std::vector<proto::HostCheck> list;
  list.push_back({"runtime", !runtime_.program.empty(), true, base::join(runtime_.reasons, "; "),
                  runtime_.program.empty() ? "install the package runc, or name a runtime in sandbox.runtime" : ""});
  list.push_back(check_seccomp());
  list.push_back(check_overlay(settings_.snapshot_directory));
  list.push_back(check_cgroups(cgroups_, has_cgroups_));
  for (auto& check : network_checks()) list.push_back(std::move(check));
  return list;
}

}  // namespace ingot::sandbox
