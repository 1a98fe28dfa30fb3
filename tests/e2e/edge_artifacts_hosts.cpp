#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/edge_artifacts.h"

namespace ingot::test {

using namespace std::chrono_literals;
using testing::HasSubstr;

RunResult EdgeArtifacts::on_host(const std::string& command) const {
  return run_program({"ssh", "-i", key(), "-p", std::to_string(ssh_port), "-o", "StrictHostKeyChecking=no", "-o",
                      "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60",
                      "edge@127.0.0.1", command});
}

bool EdgeArtifacts::answers() const {
  for (int i = 0; i < 60; ++i) {
    if (on_host("true").code == 0) return true;
    std::this_thread::sleep_for(3s);
  }
  return false;
}

fs::path EdgeArtifacts::blank_disk(const std::string& name, std::uintmax_t size) const {
  fs::path path = directory.file(name, "");
  fs::resize_file(path, size);
  return path;
}

void EdgeArtifacts::expect_starts_everywhere() {
  using Firmware = VirtualMachine::Firmware;
  {
    const auto tested = run_program({binary("ingot"), "boot-test", "--usb", project() / "build/edge.iso"},
                                    daemon->project(), daemon->environment(), 900s);
    EXPECT_EQ(tested.code, 0) << tested.out << tested.err;
    const auto report = daemon->project() / "build/boot-test/uefi-usb";
    EXPECT_THAT(slurp(report / "live.log"), HasSubstr("edge-host login:"));
    EXPECT_THAT(slurp(report / "live.png"), testing::StartsWith("\x89PNG"));
    EXPECT_TRUE(nlohmann::json::parse(slurp(report / "report.json"))["came_up"]);
  }
  {
    const auto empty = blank_disk("empty.iso", 1U << 20U);
    const auto tested = run_program({binary("ingot"), "boot-test", "--bios", "--patience", "15s", empty},
                                    daemon->project(), daemon->environment(), 900s);
    EXPECT_EQ(tested.code, 1) << tested.out << tested.err;
    EXPECT_THAT(tested.out, HasSubstr("nothing came up within 15 s"));
    const auto report = slurp(daemon->project() / "build/boot-test/bios-cd/report.json");
    EXPECT_FALSE(nlohmann::json::parse(report)["came_up"]);
  }
  {
    VirtualMachine secure({.firmware = Firmware::secure_boot, .cd = iso(), .stick = {}, .disks = {}});
    EXPECT_TRUE(secure.says("Secure boot enabled", kPatience)) << secure.last_words();
    EXPECT_TRUE(secure.says("Welcome to", kPatience)) << secure.last_words();
  }
  {
    VirtualMachine stick({.firmware = Firmware::bios, .cd = {}, .stick = iso(), .disks = {}});
    EXPECT_TRUE(stick.says("edge: cannot install: there is no disk to install to", kPatience)) << stick.last_words();
  }
}

// What it must not do to a disk; at last it is told to wipe one, and the power goes in the middle of it.
void EdgeArtifacts::expect_refusals_and_cut_short(const fs::path& disk) const {
  const auto small = blank_disk("small", 64U << 20U);
  EXPECT_EQ(run_program({"mkfs.ext4", "-q", "-F", disk}).code, 0);
  VirtualMachine machine(
      {.firmware = VirtualMachine::Firmware::bios, .cd = iso(), .stick = {}, .disks = {small, disk}});
  EXPECT_TRUE(machine.says("there are 2 disks: name one of them", kPatience)) << machine.last_words();
  machine.type("");  // the prompt may have come before
  ASSERT_TRUE(machine.says("edge-host login:", kPatience)) << machine.last_words();
  machine.type("edge");
  EXPECT_TRUE(machine.says("Password:", 60s)) << machine.last_words();
  machine.type("a password");
  ASSERT_TRUE(machine.says("edge@edge-host", 60s)) << machine.last_words();
  const auto install = [&](const std::string& words) {
    machine.type("clear; echo 'a password' | sudo -S edge-install " + words);
  };
  install("/dev/vda");
  EXPECT_TRUE(machine.says("edge: cannot install: /dev/vda has 64 MiB, and ", 120s)) << machine.last_words();
  install("/dev/vdz");
  EXPECT_TRUE(machine.says("edge: cannot install: /dev/vdz is not a disk; there are: /dev/vda /dev/vdb", 120s))
      << machine.last_words();
  install("/dev/vdb");
  EXPECT_TRUE(machine.says("edge: cannot install: /dev/vdb has data", 120s)) << machine.last_words();
  install("--wipe /dev/vdb");
  EXPECT_TRUE(machine.says("edge: copying the system to /run/edge/target/state/active", 120s)) << machine.last_words();
}

// Of an installation that was cut short nobody has to say that it may be written over.
void EdgeArtifacts::expect_installs(const fs::path& disk) const {
  VirtualMachine machine({.firmware = VirtualMachine::Firmware::bios, .cd = iso(), .stick = {}, .disks = {disk}});
  EXPECT_TRUE(machine.says("edge: installed to /dev/vda", kPatience)) << machine.last_words();
  EXPECT_TRUE(machine.ends(60s)) << machine.last_words();
}

void EdgeArtifacts::expect_comes_up(const fs::path& disk) const {
  VirtualMachine host(
      {.firmware = VirtualMachine::Firmware::uefi, .cd = {}, .stick = {}, .disks = {disk}, .ssh_port = ssh_port});
  ASSERT_TRUE(host.says("edge-host login:", kPatience)) << host.last_words();
  host.type("edge");
  EXPECT_TRUE(host.says("Password:", 60s)) << host.last_words();
  host.type("a password");
  EXPECT_TRUE(host.says("edge@edge-host", 60s)) << host.last_words();

  ASSERT_TRUE(answers()) << host.last_words();
  EXPECT_EQ(on_host("id -nG").out, "edge sudo\n");
  EXPECT_EQ(on_host("sudo -n true").code, 1) << "nobody said that it needs no password";
  EXPECT_EQ(on_host("stat -c '%a %U %G' /etc/from-user-data && cat /etc/from-user-data").out, "640 root sudo\nhello");
  EXPECT_EQ(on_host("cat /proc/sys/net/ipv4/ip_local_port_range").out, "20000\t30000\n");
  EXPECT_EQ(on_host("ls /run/*-stage").out, "/run/boot-stage\n");
  EXPECT_EQ(on_host("cat /etc/from-overlay /opt/spectrocloud/content/bundle.zst_part00 "
                    "/opt/spectrocloud/clusterconfig/spc.tgz")
                .out,
            "both\na bundlea cluster's configuration");
  EXPECT_EQ(on_host("readlink /etc/resolv.conf").out, "../run/systemd/resolve/stub-resolv.conf\n");
  EXPECT_THAT(on_host("echo 'a password' | sudo -S touch /usr/it-is-read-only").err,
              HasSubstr("Read-only file system"));
  expect_is_hardened();
  EXPECT_EQ(on_host("timeout 300 systemctl is-system-running --wait").out, "running\n")
      << on_host("systemctl --failed").out;
  EXPECT_EQ(on_host("echo kept >~/kept; echo gone | tee /tmp/gone; cat /etc/machine-id >~/id; sync").out, "gone\n");
  on_host("echo 'a password' | sudo -S reboot");
  EXPECT_TRUE(host.ends(120s)) << host.last_words();
}

// Each of these is something that a system as Debian makes it does otherwise.
void EdgeArtifacts::expect_is_hardened() const {
  EXPECT_EQ(on_host("cat /proc/sys/net/ipv4/conf/all/accept_redirects /proc/sys/kernel/kptr_restrict").out, "0\n2\n");
  EXPECT_EQ(on_host("/sbin/modprobe -n -v dccp").out, "install /bin/false \n");
  EXPECT_EQ(on_host("bash -lc umask; cat /etc/issue.net").out,
            "0027\nFor authorized users only; what is done here is recorded.\n");
  EXPECT_EQ(on_host("echo 'a password' | sudo -S sshd -T | grep -e ^permitrootlogin -e ^maxauthtries").out,
            "maxauthtries 4\npermitrootlogin no\n");
  EXPECT_EQ(on_host("echo 'a password' | su -c true").code, 1);
}

void EdgeArtifacts::expect_persists(const fs::path& disk) const {
  VirtualMachine host(
      {.firmware = VirtualMachine::Firmware::bios, .cd = {}, .stick = {}, .disks = {disk}, .ssh_port = ssh_port});
  ASSERT_TRUE(host.says("edge-host login:", kPatience)) << host.last_words();
  ASSERT_TRUE(answers()) << host.last_words();
  EXPECT_EQ(on_host("cat ~/kept; ls /tmp/gone; cmp /etc/machine-id ~/id && echo the same host").out,
            "kept\nthe same host\n");
}

// For machines that are given a disk with the system on it.
void EdgeArtifacts::expect_disk_image_comes_up_and_grows() {
  const auto built = daemon->ingot({"-C", "edge", "build", "+kairos-raw-image"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const fs::path disk = project() / "build/kairos.raw";
  const auto size = fs::file_size(disk);
  fs::resize_file(disk, 8ULL << 30U);
  VirtualMachine host(
      {.firmware = VirtualMachine::Firmware::uefi, .cd = {}, .stick = {}, .disks = {disk}, .ssh_port = ssh_port});
  ASSERT_TRUE(host.says("edge-host login:", kPatience)) << host.last_words();
  ASSERT_TRUE(answers()) << host.last_words();
  const auto mebibytes = std::stoull(on_host("df --output=size -m /usr/local | tail -1").out);
  EXPECT_GT(mebibytes, ((8ULL << 30U) - size) >> 20U) << host.last_words();
  EXPECT_EQ(on_host("systemctl is-system-running --wait").out, "running\n") << on_host("systemctl --failed").out;
}

// On a machine in setup mode, which takes the keys of the ISO and from then on starts nothing else.
void EdgeArtifacts::expect_signed_system_installs_where_its_keys_are_enrolled() {
  const auto build = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {binary("ingot"), "-C", "edge", "build"});
    return run_program(words, daemon->project(), daemon->environment(), 900s);
  };
  const auto keys = build({"+uki-genkey", "--MY_ORG=Acme / Edge"});
  ASSERT_EQ(keys.code, 0) << keys.out << keys.err;
  EXPECT_EQ(fs::status(project() / "secure-boot/private-keys/db.key").permissions(), fs::perms(0600));
  const auto again = build({"+uki-genkey", "--MY_ORG=Acme / Edge"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.out, HasSubstr("there are keys in secure-boot/private-keys already"));

  const auto too_large = build({"+iso", "--IS_UKI=true", "--EFI_MAX_SIZE=100"});
  EXPECT_EQ(too_large.code, 1);
  EXPECT_THAT(too_large.out, HasSubstr("and EFI_MAX_SIZE allows 100"));
  const auto built = build({"+build-all-images", "--IS_UKI=true", "--AUTO_ENROLL_SECUREBOOT_KEYS=true"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(daemon->ingot({"images"}).out, HasSubstr(registry.host() + "/debian:k3s-1.32.3-v1.0.0"));

  const auto tested =
      run_program({binary("ingot"), "boot-test", "--setup-mode", "--install", project() / "build/edge.iso"},
                  daemon->project(), daemon->environment(), 1800s);
  EXPECT_EQ(tested.code, 0) << tested.out << tested.err;
  const auto report = daemon->project() / "build/boot-test/setup-mode-cd";
  EXPECT_THAT(slurp(report / "install.log"), HasSubstr("Secure boot enabled"));
  EXPECT_THAT(slurp(report / "installed.log"),
              testing::AllOf(HasSubstr("Secure boot enabled"), HasSubstr("root=edge:uki")));
}

}  // namespace ingot::test
