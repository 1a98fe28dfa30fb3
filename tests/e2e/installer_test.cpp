#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"
#include "tests/support/virtual_machine.h"

// What `ingot init` writes builds an ISO that starts on every kind of firmware, installs, and comes up.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A machine without KVM on a host that does other things as well is slow, and that is no error.
constexpr auto kPatience = 600s;

class Installer : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace(std::vector<std::string>{"--images", "[{match: 'debian:*', source: bootstrap}]"});
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }
  // Asked of the installed system by the key that its user-data has.
  RunResult on_host(const std::string& command) const {
    return run_program({"ssh", "-i", key(), "-p", std::to_string(ssh_port), "-o", "StrictHostKeyChecking=no", "-o",
                        "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60",
                        "edge@127.0.0.1", command});
  }
  // Its sshd comes up behind its console.
  bool answers() const {
    for (int i = 0; i < 60; ++i) {
      if (on_host("true").code == 0) return true;
      std::this_thread::sleep_for(3s);
    }
    return false;
  }
  fs::path key() const { return directory.path() / "key"; }
  fs::path iso() const { return project() / "build/edge.iso"; }
  fs::path project() const { return daemon->project() / "edge"; }
  fs::path blank_disk(const std::string& name, std::uintmax_t size) const {
    fs::path path = directory.file(name, "");
    fs::resize_file(path, size);
    return path;
  }
  RunResult build_iso();

  TempDirectory directory;
  const int ssh_port = free_port();
  std::optional<TestDaemon> daemon;
};

RunResult Installer::build_iso() {
  auto made = daemon->ingot({"init", "edge"});
  if (made.code != 0) return made;
  made = run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key()});
  if (made.code != 0) return made;
  daemon->project_file("edge/.arg", "ISO_NAME=edge\n");
  daemon->project_file("edge/user-data", R"(#cloud-config
install:
  poweroff: true
stages:
  initramfs:
    - name: who and where
      users:
        edge:
          groups: [sudo]
          passwd: a password
          ssh_authorized_keys:
            - )" + slurp(key().string() + ".pub") +
                                             R"(      hostname: edge-host
      files:
        - path: /etc/from-user-data
          permissions: 0640
          owner_string: root:sudo
          encoding: b64
          content: aGVsbG8=
      sysctl:
        net.ipv4.ip_local_port_range: 20000 30000
  boot:
    - if: test -e /etc/from-user-data
      commands:
        - echo ran >/run/boot-stage
    - if: test -e /nonexistent
      commands:
        - echo ran >/run/not-this-stage
)");
  return run_program({binary("ingot"), "-C", "edge", "build", "+iso"}, daemon->project(), daemon->environment(), 900s);
}

TEST_F(Installer, starts_on_every_firmware_installs_and_comes_up_again_with_what_persists) {
  const auto built = build_iso();
  if (built.code != 0 && (built.out + built.err).find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_EQ(run_program({"sha256sum", "-c", "edge.iso.sha256"}, project() / "build").code, 0);
  EXPECT_LT(fs::file_size(iso()), 450U << 20U);

  using Firmware = VirtualMachine::Firmware;
  {
    VirtualMachine stick({.firmware = Firmware::uefi, .cd = {}, .stick = iso(), .disks = {}});
    EXPECT_TRUE(stick.says("Welcome to", kPatience)) << stick.last_words();
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

  const auto disk = blank_disk("disk", 6ULL << 30U);
  {
    VirtualMachine machine({.firmware = Firmware::bios, .cd = iso(), .stick = {}, .disks = {disk}});
    EXPECT_TRUE(machine.says("edge: installed to /dev/vda", kPatience)) << machine.last_words();
    EXPECT_TRUE(machine.ends(60s)) << machine.last_words();
  }
  {
    VirtualMachine again({.firmware = Firmware::uefi, .cd = {}, .stick = {}, .disks = {disk}, .ssh_port = ssh_port});
    ASSERT_TRUE(again.says("edge-host login:", kPatience)) << again.last_words();
    again.type("edge");
    EXPECT_TRUE(again.says("Password:", 60s)) << again.last_words();
    again.type("a password");
    EXPECT_TRUE(again.says("edge@edge-host", 60s)) << again.last_words();

    ASSERT_TRUE(answers()) << again.last_words();
    EXPECT_EQ(on_host("id -nG").out, "edge sudo\n");
    EXPECT_EQ(on_host("sudo -n true").code, 1) << "nobody said that it needs no password";
    EXPECT_EQ(on_host("stat -c '%a %U %G' /etc/from-user-data && cat /etc/from-user-data").out, "640 root sudo\nhello");
    EXPECT_EQ(on_host("cat /proc/sys/net/ipv4/ip_local_port_range").out, "20000\t30000\n");
    EXPECT_EQ(on_host("ls /run/*-stage").out, "/run/boot-stage\n");
    EXPECT_THAT(on_host("echo 'a password' | sudo -S touch /usr/it-is-read-only").err,
                HasSubstr("Read-only file system"));
    EXPECT_EQ(on_host("systemctl is-system-running").out, "running\n") << on_host("systemctl --failed").out;
    EXPECT_EQ(on_host("echo kept >~/kept; echo gone | tee /tmp/gone; cat /etc/machine-id >~/id; sync").out, "gone\n");
    on_host("echo 'a password' | sudo -S reboot");
    EXPECT_TRUE(again.ends(120s)) << again.last_words();
  }
  {
    VirtualMachine third({.firmware = Firmware::bios, .cd = {}, .stick = {}, .disks = {disk}, .ssh_port = ssh_port});
    ASSERT_TRUE(third.says("edge-host login:", kPatience)) << third.last_words();
    ASSERT_TRUE(answers()) << third.last_words();
    EXPECT_EQ(on_host("cat ~/kept; ls /tmp/gone; cmp /etc/machine-id ~/id && echo the same host").out,
              "kept\nthe same host\n");
  }
}

}  // namespace
}  // namespace ingot::test
