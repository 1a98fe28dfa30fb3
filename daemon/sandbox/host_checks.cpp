#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/sandbox/oci_sandbox.h"
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

}  // namespace

std::vector<proto::HostCheck> OciSandbox::checks() {
  await_ready();
  std::vector<proto::HostCheck> list;
  list.push_back({"runtime", !runtime_.program.empty(), true, base::join(runtime_.reasons, "; "),
                  runtime_.program.empty() ? "install the package runc, or name a runtime in sandbox.runtime" : ""});
  list.push_back(check_overlay(settings_.snapshot_directory));

  const auto controllers = cgroups_.controllers();
  const bool all = controllers.size() >= 3;
  list.push_back({"cgroups", all, true,
                  fmt::format("layout {}, controllers: {}", cgroups_.layout_name(), base::join(controllers, ", ")),
                  all ? "" : "enable the memory, cpu and pids controllers (kernel parameter cgroup_enable=memory)"});

  auto prepared = networks_.prepare();
  list.push_back({"network", prepared.has_value(), false,
                  prepared ? "steps reach the world through a veth and nftables" : prepared.error().message,
                  prepared ? "" : prepared.error().hint});
  list.push_back(
      {"name servers", has_name_servers_, false,
       has_name_servers_ ? "steps use the host's" : "the host's are on its loopback, where steps cannot reach",
       has_name_servers_ ? "" : "name some in network.dns of the daemon's configuration"});
  return list;
}

}  // namespace ingot::sandbox
