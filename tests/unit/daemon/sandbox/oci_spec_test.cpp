#include "daemon/sandbox/oci_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

namespace ingot::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

StepSpec a_step() {
  StepSpec step;
  step.argv = {"/bin/sh", "-c", "true"};
  step.env = {{"A", "1"}};
  step.working_dir = "/work";
  step.limits = {1U << 30, 1.5, 100};
  return step;
}

const store::Account kApp{1000, 1000, {2000}, "/home/app"};
const store::Account kRoot{0, 0, {}, "/root"};
const Bundle kBundle{"/bundle", "/ingot-x/1", "/proc/1/fd/9", true};

TEST(Spec, process_is_the_steps) {
  const json process = make_spec(a_step(), kApp, kBundle)["process"];
  EXPECT_EQ(process["args"], json({"/bin/sh", "-c", "true"}));
  EXPECT_EQ(process["cwd"], "/work");
  EXPECT_EQ(process["user"], (json{{"uid", 1000}, {"gid", 1000}, {"additionalGids", {2000}}}));
  EXPECT_EQ(process["env"],
            json({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/app", "A=1"}));
  EXPECT_EQ(process["noNewPrivileges"], false);
  EXPECT_EQ(process["terminal"], false);
}

TEST(Spec, what_the_step_says_of_path_and_home_stays) {
  auto step = a_step();
  step.env = {{"HOME", "/h"}, {"PATH", "/p"}};
  EXPECT_EQ(make_spec(step, kApp, kBundle)["process"]["env"], json({"HOME=/h", "PATH=/p"}));
}

TEST(Spec, capabilities_are_dockers) {
  const json root = make_spec(a_step(), kRoot, kBundle)["process"]["capabilities"];
  const json docker = {"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
                       "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
                       "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
                       "CAP_KILL",    "CAP_AUDIT_WRITE"};
  for (const char* set : {"bounding", "effective", "permitted"}) EXPECT_EQ(root[set], docker) << set;
  const json user = make_spec(a_step(), kApp, kBundle)["process"]["capabilities"];
  EXPECT_EQ(user["bounding"], docker);
  EXPECT_TRUE(user["effective"].empty()) << "a user has no capability until it is root";
  EXPECT_TRUE(user["permitted"].empty());
}

TEST(Spec, limits_are_in_the_resources) {
  const json resources = make_spec(a_step(), kApp, kBundle)["linux"]["resources"];
  EXPECT_EQ(resources["memory"], (json{{"limit", 1U << 30}, {"swap", 1U << 30}}));
  EXPECT_EQ(resources["cpu"], (json{{"period", 100'000}, {"quota", 150'000}}));
  EXPECT_EQ(resources["pids"]["limit"], 100);

  auto free = a_step();
  free.limits = {0, 0, 0};
  const json none = make_spec(free, kApp, kBundle)["linux"]["resources"];
  for (const char* name : {"memory", "cpu", "pids"}) EXPECT_FALSE(none.contains(name)) << name;
}

TEST(Spec, swap_is_limited_only_where_the_kernel_counts_it) {
  Bundle bundle = kBundle;
  bundle.counts_swap = false;
  EXPECT_EQ(make_spec(a_step(), kApp, bundle)["linux"]["resources"]["memory"], (json{{"limit", 1U << 30}}));
}

TEST(Spec, open_files_stay_below_the_hosts_hard_limit) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const json usual = make_spec(a_step(), kApp, kBundle)["process"]["rlimits"][0];
  EXPECT_EQ(usual["type"], "RLIMIT_NOFILE");
  EXPECT_LE(usual["hard"].get<rlim_t>(), before.rlim_max);
  EXPECT_LE(usual["soft"].get<rlim_t>(), 65'536U);
}

TEST(Spec, the_network_is_new_given_or_the_hosts) {
  auto step = a_step();
  EXPECT_THAT(make_spec(step, kApp, kBundle)["linux"]["namespaces"],
              testing::Contains(json{{"type", "network"}, {"path", "/proc/1/fd/9"}}));
  step.network = Network::none;
  EXPECT_THAT(make_spec(step, kApp, kBundle)["linux"]["namespaces"], testing::Contains(json{{"type", "network"}}));
  step.network = Network::host;
  EXPECT_THAT(make_spec(step, kApp, kBundle)["linux"]["namespaces"].dump(), testing::Not(HasSubstr("network")));
}

TEST(Spec, mounts_hide_the_host) {
  const json spec = make_spec(a_step(), kApp, kBundle);
  std::string targets;
  for (const auto& mount : spec["mounts"]) targets += mount["destination"].get<std::string>() + " ";
  EXPECT_EQ(targets, "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /etc/resolv.conf /etc/hosts ");
  EXPECT_EQ(spec["mounts"][7]["source"], "/bundle/resolv.conf");
  for (const char* path : {"/proc/kcore", "/proc/keys", "/sys/firmware"}) {
    EXPECT_THAT(spec["linux"]["maskedPaths"], testing::Contains(path));
  }
  for (const char* path : {"/proc/sys", "/proc/sysrq-trigger"}) {
    EXPECT_THAT(spec["linux"]["readonlyPaths"], testing::Contains(path));
  }
  EXPECT_EQ(spec["linux"]["cgroupsPath"], "/ingot-x/1");
  EXPECT_EQ(spec["root"]["readonly"], false);
}

TEST(Spec, secrets_are_last_of_the_environment_and_of_the_mounts) {
  auto step = a_step();
  step.env = {{"A", "plain"}, {"B", "2"}};
  step.secret_env = {{"A", "hidden"}};
  step.mounts = {{"/run", {}, false, false}};
  step.secret_files = {{"/run/secrets/key", "of the file", 0400, {}, {}}};
  const json spec = make_spec(step, kRoot, kBundle);
  EXPECT_EQ(spec["process"]["env"].back(), "A=hidden");
  EXPECT_EQ(spec["process"]["env"].dump().find("plain"), std::string::npos);
  const json& mount = spec["mounts"].back();
  EXPECT_EQ(mount["destination"], "/run/secrets/key");
  EXPECT_EQ(mount["source"], "/bundle/secret-0");
  EXPECT_EQ(mount["options"][1], "ro");
  EXPECT_EQ(spec.dump().find("of the file"), std::string::npos) << "a file's content is in the file alone";
  EXPECT_EQ(spec["process"]["rlimits"].back()["type"], "RLIMIT_CORE");
  EXPECT_EQ(make_spec(a_step(), kRoot, kBundle)["process"]["rlimits"].size(), 1U) << "others may dump";
}

TEST(Spec, sockets_are_mounted_and_cannot_be_changed) {
  auto step = a_step();
  step.sockets = {{"/run/a", {}, 0600, {}, {}}, {"/run/b", {}, 0600, {}, {}}};
  const json mounts = make_spec(step, kRoot, kBundle)["mounts"];
  const json& last = mounts.back();
  EXPECT_EQ(last["destination"], "/run/b");
  EXPECT_EQ(last["source"], "/bundle/socket-1");
  EXPECT_EQ(last["options"][1], "ro");
}

}  // namespace
}  // namespace ingot::sandbox
