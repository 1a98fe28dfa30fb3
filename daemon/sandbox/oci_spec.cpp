#include "daemon/sandbox/oci_spec.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/sandbox/seccomp.h"

namespace ingot::sandbox {

namespace {

using nlohmann::json;

// Docker's default set: what packages' scripts need (chown, setuid, mknod, chroot...), nothing that reaches the host.
const json& capabilities() {
  static const json kNames = {"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
                              "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
                              "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
                              "CAP_KILL",    "CAP_AUDIT_WRITE"};
  return kNames;
}

// As the kernel knows them; one that is older than a name is not told of it.
json all_capabilities() {
  static const char* const kNames[] = {"CHOWN",
                                       "DAC_OVERRIDE",
                                       "DAC_READ_SEARCH",
                                       "FOWNER",
                                       "FSETID",
                                       "KILL",
                                       "SETGID",
                                       "SETUID",
                                       "SETPCAP",
                                       "LINUX_IMMUTABLE",
                                       "NET_BIND_SERVICE",
                                       "NET_BROADCAST",
                                       "NET_ADMIN",
                                       "NET_RAW",
                                       "IPC_LOCK",
                                       "IPC_OWNER",
                                       "SYS_MODULE",
                                       "SYS_RAWIO",
                                       "SYS_CHROOT",
                                       "SYS_PTRACE",
                                       "SYS_PACCT",
                                       "SYS_ADMIN",
                                       "SYS_BOOT",
                                       "SYS_NICE",
                                       "SYS_RESOURCE",
                                       "SYS_TIME",
                                       "SYS_TTY_CONFIG",
                                       "MKNOD",
                                       "LEASE",
                                       "AUDIT_WRITE",
                                       "AUDIT_CONTROL",
                                       "SETFCAP",
                                       "MAC_OVERRIDE",
                                       "MAC_ADMIN",
                                       "SYSLOG",
                                       "WAKE_ALARM",
                                       "BLOCK_SUSPEND",
                                       "AUDIT_READ",
                                       "PERFMON",
                                       "BPF",
                                       "CHECKPOINT_RESTORE"};
  json list = json::array();
  for (int number = 0; number < static_cast<int>(std::size(kNames)); ++number) {
    if (prctl(PR_CAPBSET_READ, number) == 1) list.push_back(std::string("CAP_") + kNames[number]);
  }
  return list;
}

// What a privileged step needs of /dev beyond what every container has: images as disks, file systems of its own,
// virtual machines.
json devices() {
  json list = json::array();
  std::vector<std::string> names{"/dev/loop-control", "/dev/fuse", "/dev/kvm"};
  for (int i = 0; i < 8; ++i) names.push_back("/dev/loop" + std::to_string(i));
  for (const auto& name : names) {
    struct stat status {};
    if (stat(name.c_str(), &status) != 0) continue;
    const char* type = S_ISBLK(status.st_mode) ? "b" : "c";
    list.push_back({{"path", name},
                    {"type", type},
                    {"major", major(status.st_rdev)},
                    {"minor", minor(status.st_rdev)},
                    {"fileMode", status.st_mode & 07777U}});
  }
  return list;
}

json mount(const char* target, const char* type, const char* source, std::vector<std::string> options) {
  return {{"destination", target}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

json mounts(const StepSpec& step, const Bundle& bundle) {
  json list = {
      mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", step.privileged ? "rw" : "ro"}),
      // Where language runtimes look for the limits that they live under.
      mount("/sys/fs/cgroup", "cgroup", "cgroup",
            {"nosuid", "noexec", "nodev", "relatime", step.privileged ? "rw" : "ro"}),
  };
  // /etc/hostname is the image's own: recipes write it.
  for (const char* name : {"resolv.conf", "hosts"}) {
    const std::string target = std::string("/etc/") + name;
    list.push_back(
        mount(target.c_str(), "bind", (bundle.directory / name).c_str(), {"rbind", "ro", "nosuid", "noexec", "nodev"}));
  }
  for (const auto& one : step.mounts) {
    if (one.source.empty())
      list.push_back(mount(one.target.c_str(), "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}));
    else
      list.push_back(mount(one.target.c_str(), "bind", one.source.c_str(),
                           {"rbind", one.read_only ? "ro" : "rw", "nosuid", "nodev"}));
  }
  // The last, so that none is hidden by another mount.
  for (std::size_t i = 0; i < step.secret_files.size(); ++i) {
    list.push_back(mount(step.secret_files[i].target.c_str(), "bind", bundle.secret_file(i).c_str(),
                         {"bind", "ro", "nosuid", "nodev", "noexec"}));
  }
  for (std::size_t i = 0; i < step.sockets.size(); ++i) {
    list.push_back(mount(step.sockets[i].target.c_str(), "bind", bundle.socket(i).c_str(),
                         {"bind", "ro", "nosuid", "nodev", "noexec"}));
  }
  return list;
}

json namespaces(const StepSpec& step, const Bundle& bundle) {
  json list = {{{"type", "pid"}}, {{"type", "ipc"}}, {{"type", "uts"}}, {{"type", "mount"}}, {{"type", "cgroup"}}};
  if (step.network == Network::none) list.push_back({{"type", "network"}});
  if (step.network == Network::egress) list.push_back({{"type", "network"}, {"path", bundle.network}});
  return list;
}

json resources(const Limits& limits, bool counts_swap, bool privileged) {
  json section = {{"devices", json::array({{{"allow", privileged}, {"access", "rwm"}}})}};
  if (limits.memory_bytes != 0) {
    // Swap counts with memory, so that a limit is one.
    section["memory"] = {{"limit", limits.memory_bytes}};
    if (counts_swap) section["memory"]["swap"] = limits.memory_bytes;
  }
  if (limits.cpus > 0) {
    constexpr std::uint64_t kPeriod = 100'000;
    section["cpu"] = {{"period", kPeriod}, {"quota", static_cast<std::int64_t>(limits.cpus * kPeriod)}};
  }
  if (limits.pids != 0) section["pids"] = {{"limit", limits.pids}};
  return section;
}

json open_files_limit() {
  constexpr rlim_t kHard = 1'048'576;
  constexpr rlim_t kSoft = 65'536;  // enough for compilers and npm; programs that close all there could be stay quick
  rlimit host{};
  getrlimit(RLIMIT_NOFILE, &host);
  // More than the daemon's own hard limit is refused by hosts that bound it.
  const rlim_t limit = std::min(kHard, host.rlim_max);
  return {{"type", "RLIMIT_NOFILE"}, {"hard", limit}, {"soft", std::min(limit, kSoft)}};
}

// Of a step with secrets nothing is written down: a limit of one byte, unlike none at all, also binds handlers that
// read core dumps from a pipe.
json no_core_dumps() {
  return {{"type", "RLIMIT_CORE"}, {"hard", 1}, {"soft", 1}};
}

json environment(const StepSpec& step, const store::Account& account) {
  json list = json::array();
  auto is_in = [](const graph::Variables& variables, const std::string& name) {
    return std::any_of(variables.begin(), variables.end(), [&](const auto& pair) { return pair.first == name; });
  };
  auto given = [&](const std::string& name) { return is_in(step.env, name) || is_in(step.secret_env, name); };
  if (!given("PATH")) list.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!given("HOME")) list.push_back("HOME=" + account.home);
  for (const auto& [name, value] : step.env) {
    if (!is_in(step.secret_env, name)) list.push_back(fmt::format("{}={}", name, value));
  }
  for (const auto& [name, value] : step.secret_env) list.push_back(fmt::format("{}={}", name, value));
  return list;
}

}  // namespace

json make_spec(const StepSpec& step, const store::Account& account, const Bundle& bundle) {
  json process = {{"terminal", false},
                  {"user", {{"uid", account.uid}, {"gid", account.gid}, {"additionalGids", account.groups}}},
                  {"args", step.argv},
                  {"env", environment(step, account)},
                  {"cwd", step.working_dir.empty() ? "/" : step.working_dir},
                  {"noNewPrivileges", false},
                  {"oomScoreAdj", 100},  // the kernel shall rather end a step than the daemon
                  {"rlimits", json::array({open_files_limit()})}};
  if (step.has_secrets()) process["rlimits"].push_back(no_core_dumps());
  const json held = step.privileged ? all_capabilities() : capabilities();
  for (const char* set : {"bounding", "effective", "permitted"}) process["capabilities"][set] = held;
  if (account.uid != 0) {
    process["capabilities"]["effective"] = json::array();
    process["capabilities"]["permitted"] = json::array();
  }
  json spec = {
      {"ociVersion", "1.0.2"},
      {"process", std::move(process)},
      {"root", {{"path", "rootfs"}, {"readonly", false}}},
      {"hostname", "ingot"},
      {"mounts", mounts(step, bundle)},
      {"linux",
       {{"cgroupsPath", bundle.cgroup},
        {"resources", resources(step.limits, bundle.counts_swap, step.privileged)},
        {"namespaces", namespaces(step, bundle)},
        {"seccomp", seccomp_profile()},
        {"maskedPaths",
         {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"}},
        {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}}}};
  if (!step.privileged) return spec;
  for (const char* bound : {"seccomp", "maskedPaths", "readonlyPaths"}) spec["linux"].erase(bound);
  spec["linux"]["devices"] = devices();
  return spec;
}

}  // namespace ingot::sandbox
