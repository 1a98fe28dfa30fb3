#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/sandbox/mount_points.h"
#include "daemon/sandbox/oci_spec.h"
#include "daemon/sandbox/resolv_conf.h"
#include "daemon/sandbox/runtime.h"
#include "daemon/sandbox/seccomp.h"
#include "daemon/sandbox/subnet.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"

namespace ingot::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Spec, carries_limits_user_network_and_dockers_defaults) {
  StepSpec step;
  step.argv = {"/bin/sh", "-c", "true"};
  step.env = {{"A", "1"}};
  step.working_dir = "/work";
  step.limits = {1U << 30, 1.5, 100};
  const store::Account account{1000, 1000, {2000}, "/home/app"};
  const json spec = make_spec(step, account, {"/bundle", "/ingot-x/1", "/proc/1/fd/9"});
  EXPECT_EQ(spec["process"]["user"]["additionalGids"], json({2000}));
  EXPECT_EQ(spec["process"]["env"][1], "HOME=/home/app");
  EXPECT_EQ(spec["process"]["env"].back(), "A=1");
  EXPECT_TRUE(spec["process"]["capabilities"]["effective"].empty()) << "a user has no capability until it is root";
  EXPECT_EQ(spec["linux"]["resources"]["memory"]["swap"], 1U << 30);
  EXPECT_EQ(spec["linux"]["resources"]["cpu"]["quota"], 150'000);
  EXPECT_EQ(spec["linux"]["resources"]["pids"]["limit"], 100);
  EXPECT_EQ(spec["linux"]["namespaces"].back(), json({{"type", "network"}, {"path", "/proc/1/fd/9"}}));
  step.network = Network::host;
  EXPECT_EQ(make_spec(step, account, {"/bundle", "/c", ""})["linux"]["namespaces"].size(), 4U);
  const std::string capabilities = spec["process"]["capabilities"]["bounding"].dump();
  EXPECT_THAT(capabilities, HasSubstr("CAP_CHOWN"));
  EXPECT_THAT(capabilities, testing::Not(HasSubstr("CAP_SYS_ADMIN")));
  EXPECT_THAT(capabilities, testing::Not(HasSubstr("CAP_NET_ADMIN")));
}

TEST(Seccomp, refuses_by_default_and_allows_no_way_out) {
  const json profile = seccomp_profile();
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_ERRNO");
  const json& open = profile["syscalls"][0]["names"];
  for (const char* name :
       {"mount", "umount2", "unshare", "setns", "bpf", "kexec_load", "init_module", "keyctl", "reboot", "swapon",
        "pivot_root", "open_by_handle_at", "userfaultfd", "io_uring_setup", "clone", "clone3"}) {
    EXPECT_EQ(std::count(open.begin(), open.end(), name), 0) << name;
  }
  for (const char* name : {"execve", "openat", "futex", "chroot", "fork", "rseq", "copy_file_range"}) {
    EXPECT_EQ(std::count(open.begin(), open.end(), name), 1) << name;
  }
}

TEST(Subnet, avoids_what_the_host_uses) {
  const Subnet free = pick_subnet("seed", {});
  EXPECT_EQ(pick_subnet("seed", {}).range(), free.range());
  const Subnet other = pick_subnet("seed", {{free.address + 17, 0xffffff00}});
  EXPECT_NE(other.range(), free.range());
  const Subnet last = pick_subnet("seed", {{0x0a000000, 0xff800000}});
  EXPECT_GE(last.address, 0x0a800000U) << "half of 10/8 is in use";
  EXPECT_EQ((Subnet{0x0a010000}).range(), "10.1.0.0/20");
  EXPECT_EQ((Subnet{0x0a010000}).step_address(64), "10.1.1.2");
}

TEST(ResolvConf, leaves_out_servers_that_a_step_cannot_reach) {
  auto made =
      make_resolv_conf("# x\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch a.example\noptions edns0\n", {});
  EXPECT_EQ(made.text, "nameserver 10.0.0.2\nsearch a.example\noptions edns0\n");
  EXPECT_TRUE(made.has_servers);
  EXPECT_FALSE(make_resolv_conf("nameserver ::1\n", {}).has_servers);
  EXPECT_EQ(make_resolv_conf("nameserver 10.0.0.2\n", {"1.1.1.1"}).text, "nameserver 1.1.1.1\n");
}

TEST(MountPoints, takes_out_only_what_the_runtime_put_in) {
  test::TempDirectory directory;
  std::filesystem::create_directories(directory / "root/etc");
  auto points = MountPoints::before(*sys::RootedDir::open(directory / "root"));
  directory.file("root/etc/resolv.conf", "");
  directory.file("root/etc/hosts", "written by the step\n");
  std::filesystem::create_directories(directory / "root/proc");
  points.clean(directory / "root");
  EXPECT_FALSE(std::filesystem::exists(directory / "root/etc/resolv.conf"));
  EXPECT_FALSE(std::filesystem::exists(directory / "root/proc"));
  EXPECT_TRUE(std::filesystem::exists(directory / "root/etc/hosts"));
}

TEST(Runtime, says_why_each_does_not_work) {
  test::TempDirectory directory;
  test::FakeProcesses processes([](const sys::Command&, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
    sink(sys::Stream::err, "cannot do hybrid cgroups\n");
    sys::ExitStatus status;
    status.code = 1;
    return status;
  });
  auto runtime = probe_runtime("auto", directory.path(), processes);
  EXPECT_EQ(runtime.program, "");
  ASSERT_EQ(runtime.reasons.size(), 2U);
}

}  // namespace
}  // namespace ingot::sandbox
