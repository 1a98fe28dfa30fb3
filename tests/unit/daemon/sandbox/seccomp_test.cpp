#include "daemon/sandbox/seccomp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "tests/unit/daemon/sandbox/real_sandbox.h"

namespace ingot::sandbox {
namespace {

using nlohmann::json;

std::vector<json> rules_for(const std::string& name) {
  std::vector<json> found;
  const json profile = seccomp_profile();
  for (const auto& rule : profile["syscalls"]) {
    const auto& names = rule["names"];
    if (std::find(names.begin(), names.end(), name) != names.end()) found.push_back(rule);
  }
  return found;
}

TEST(Seccomp, refuses_by_default_and_allows_no_way_out) {
  const json profile = seccomp_profile();
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_EQ(profile["defaultErrnoRet"], EPERM);
  for (const char* name : {"mount",       "umount2",           "unshare",      "setns",          "bpf",
                           "kexec_load",  "init_module",       "keyctl",       "reboot",         "swapon",
                           "pivot_root",  "open_by_handle_at", "userfaultfd",  "io_uring_setup", "perf_event_open",
                           "pidfd_getfd", "process_madvise",   "settimeofday", "clock_settime",  "iopl",
                           "acct",        "quotactl",          "syslog",       "sethostname"}) {
    EXPECT_TRUE(rules_for(name).empty()) << name;
  }
  for (const char* name : {"execve", "openat", "futex", "chroot", "fork", "rseq", "copy_file_range", "mknod",
                           "fanotify_mark", "ptrace", "socketpair"}) {
    ASSERT_EQ(rules_for(name).size(), 1U) << name;
    EXPECT_FALSE(rules_for(name)[0].contains("args")) << name;
  }
}

TEST(Seccomp, names_stand_in_it_once) {
  auto names = seccomp_profile()["syscalls"][0]["names"].get<std::vector<std::string>>();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_GT(names.size(), 350U);
}

TEST(Seccomp, new_threads_but_no_new_namespaces) {
  const auto clone = rules_for("clone");
  ASSERT_EQ(clone.size(), 1U);
  EXPECT_EQ(clone[0]["args"][0],
            (json{{"index", 0}, {"value", 0x7e020000}, {"valueTwo", 0}, {"op", "SCMP_CMP_MASKED_EQ"}}));
  const auto clone3 = rules_for("clone3");
  ASSERT_EQ(clone3.size(), 1U);
  EXPECT_EQ(clone3[0]["action"], "SCMP_ACT_ERRNO");
  EXPECT_EQ(clone3[0]["errnoRet"], ENOSYS) << "so that libraries fall back to clone";
}

TEST(Seccomp, personalities_and_socket_families) {
  std::vector<std::uint64_t> personas;
  for (const auto& rule : rules_for("personality")) personas.push_back(rule["args"][0]["value"]);
  EXPECT_EQ(personas, (std::vector<std::uint64_t>{0, 8, 0x20000, 0x20008, 0xffffffff}));
  ASSERT_EQ(rules_for("socket").size(), 1U);
  EXPECT_EQ(rules_for("socket")[0]["args"][0],
            (json{{"index", 0}, {"value", 40}, {"valueTwo", 0}, {"op", "SCMP_CMP_NE"}}));
}

class SeccompInForce : public RealSandbox {};

TEST_F(SeccompInForce, mounts_and_namespaces_are_refused) {
  auto ran =
      run("mount -t tmpfs none /tmp; unshare -U true; unshare -m true; unshare -n true; hostname other; date -s "
          "2000-01-01");
  std::string refusals;
  for (const auto& line : base::split(ran.err, '\n')) {
    refusals += line.find("not permitted") != std::string::npos || line.find("denied") != std::string::npos ? "n" : "?";
  }
  EXPECT_EQ(refusals, "nnnnnn?") << ran.err;
}

TEST_F(SeccompInForce, what_packages_do_is_allowed) {
  auto ran =
      run("mknod /tmp/null c 1 3 && chown 1000:1001 /tmp/null && chmod 4755 /tmp/null && mkdir /tmp/r && "
          "ln /bin/busybox /tmp/r/true && chroot /tmp/r /true && mkfifo /tmp/p && touch -d @0 /tmp/p && echo all");
  EXPECT_EQ(ran.out, "all\n") << ran.err;
}

TEST_F(SeccompInForce, the_hosts_kernel_is_out_of_reach) {
  auto ran =
      run("echo 1 > /proc/sys/net/ipv4/ip_forward; echo b > /proc/sysrq-trigger; cat /proc/kcore | wc -c; "
          "echo x > /sys/kernel/profiling; echo 0 > /sys/fs/cgroup/cgroup.procs; dd if=/tmp/disk count=1");
  EXPECT_EQ(ran.out, "0\n") << ran.err;
  EXPECT_FALSE(ran.outcome.status.ok());
}

}  // namespace
}  // namespace ingot::sandbox
