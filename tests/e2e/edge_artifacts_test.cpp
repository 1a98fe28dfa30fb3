#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"
#include "tests/support/virtual_machine.h"

// What `ingot init` writes builds provider images that others can pull and run, and an ISO that starts on every kind of
// firmware, installs, and comes up. One build is looked at from all sides: it is most of the time.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A machine without KVM on a host that does other things as well is slow, and that is no error.
constexpr auto kPatience = 600s;

// The compression level that a squashfs somewhere in a file says it was made with; 0: there is none, or it does not
// say.
int squashfs_level(const fs::path& path) {
  constexpr std::size_t kBlock = 2048;  // of an ISO, and a file's content begins with one
  constexpr std::size_t kSuperblock = 96;
  constexpr std::uint16_t kZstd = 6;
  constexpr std::uint16_t kHasOptions = 0x400;
  std::ifstream file(path, std::ios::binary);
  std::array<char, kBlock> block{};
  const auto number = [&](std::size_t at) {
    std::uint16_t value = 0;
    std::memcpy(&value, block.data() + at, sizeof value);
    return value;
  };
  while (file.read(block.data(), kBlock)) {
    if (std::string_view(block.data(), 4) != "hsqs" || number(20) != kZstd) continue;
    return (number(24) & kHasOptions) == 0 ? 0 : number(kSuperblock + 2);  // behind the size of the options
  }
  return 0;
}

class EdgeArtifacts : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace(std::vector<std::string>{"--images", "[{match: 'debian:*', source: bootstrap}, {match: '" +
                                                            registry.host() +
                                                            "/*', source: registry, insecure: true}]"});
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
  RunResult build_all();
  void expect_provider_image();
  void expect_payload_of_an_image();
  void expect_starts_everywhere();
  void expect_refusals_and_cut_short(const fs::path& disk) const;
  void expect_installs(const fs::path& disk) const;
  void expect_comes_up(const fs::path& disk) const;
  void expect_is_hardened() const;
  void expect_persists(const fs::path& disk) const;
  void expect_disk_image_comes_up_and_grows();
  void expect_signed_system_installs_where_its_keys_are_enrolled();
  void expect_large_content_comes_back_from_its_parts();

  TempDirectory directory;
  const int ssh_port = free_port();
  Registry registry{RegistrySetup{}};
  std::optional<TestDaemon> daemon;
};

RunResult EdgeArtifacts::build_all() {
  auto made = daemon->ingot({"init", "edge"});
  if (made.code != 0) return made;
  made = run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key()});
  if (made.code != 0) return made;
  daemon->project_file(
      "edge/.arg",
      "ISO_NAME=edge\nK8S_VERSION=1.32.3\nCUSTOM_TAG=\nCIS_HARDENING=true\nIMAGE_REPO=debian\nIMAGE_REGISTRY=" +
          registry.host() + "\n");
  // No release can be fetched here, so that a script is in its place. The code that fetches one has a test of its own,
  // with a mirror of releases.
  const char* kubernetes = "edge/k8s/k3s/1.32.3/usr/local/bin/k3s";
  daemon->project_file(kubernetes, "#!/bin/sh\necho in the place of k3s\n");
  fs::permissions(daemon->project() / kubernetes, fs::perms::all);
  daemon->project_file("edge/overlay/files/etc/from-overlay", "both\n");
  daemon->project_file("edge/content-north/bundle.zst", "a bundle");
  daemon->project_file("edge/spc.tgz", "a cluster's configuration");
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
  return run_program({binary("ingot"), "-C", "edge", "build", "--push", "+build-all-images"}, daemon->project(),
                     daemon->environment(), 900s);
}

void EdgeArtifacts::expect_provider_image() {
  const std::string name = registry.host() + "/debian:k3s-1.32.3-v1.0.0";
  auto job = daemon->ingot({"ps", "--all", "-q", "-n", "1"}).out;
  job.pop_back();
  const auto shown = nlohmann::json::parse(daemon->ingot({"show", "--json", job}).out);
  std::string digest;
  for (const auto& image : shown["images"]) {
    if (image["name"] == name) digest = image["digest"];
  }
  EXPECT_EQ(run_program({"skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://" + name}).out,
            digest + "\n");
  const auto manifest = daemon->ingot({"manifest", job});
  EXPECT_THAT(manifest.out,
              HasSubstr("  system.registry: " + registry.host() +
                        "\n  system.repo: debian\n  system.k8sDistribution: k3s\n  system.osName: debian\n"
                        "  system.peVersion: v1.0.0\n  system.osVersion: 12\n"));
  // As a cluster does, by somebody else's program.
  const std::vector<std::string> podman = {"podman",
                                           "--root",
                                           directory.path() / "podman",
                                           "--runroot",
                                           directory.path() / "run",
                                           "--cgroup-manager",
                                           "cgroupfs",
                                           "--runtime",
                                           "runc"};
  auto run = podman;
  // podman would raise limits, which not every host may.
  for (const std::string word :
       {"run", "--rm", "--tls-verify=false", "--network=none", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"})
    run.push_back(word);
  run.push_back(name + "@" + digest);
  for (const std::string word : {"sh", "-c", "k3s; cat /etc/from-overlay; grep ^K8S /etc/os-release; ls /opt"}) {
    run.push_back(word);
  }
  const auto ran = run_program(run, {}, {}, 300s);
  EXPECT_EQ(ran.out, "in the place of k3s\nboth\nK8S_DISTRIBUTION=\"k3s\"\nK8S_VERSION=\"1.32.3\"\n") << ran.err;
  auto forget = podman;
  for (const std::string word : {"rmi", "--all", "--force"}) forget.push_back(word);
  run_program(forget, {}, {}, 120s);
  // Unless somebody else has containers in it.
  run_program(
      {"find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/libpod_parent*", "-exec", "rmdir", "{}", ";"});
}

void EdgeArtifacts::expect_payload_of_an_image() {
  const std::string name = registry.host() + "/kubernetes";
  daemon->project_file("payload/k3s", "k3s of an image");
  daemon->project_file("payload/Earthfile",
                       "VERSION 0.8\nimage:\n    FROM scratch\n    COPY k3s /usr/local/bin/k3s\n"
                       "    SAVE IMAGE --push " +
                           name + ":k3s-1.31.4\n");
  const auto made = daemon->ingot({"-C", "payload", "build", "--push", "+image"});
  EXPECT_EQ(made.code, 0) << made.out;
  const auto built =
      daemon->ingot({"-C", "edge", "submit", "+kubernetes", "--K8S_VERSION=1.31.4", "--K8S_PAYLOAD_IMAGE=" + name});
  const std::string job = built.out.substr(0, built.out.find('\n'));
  EXPECT_EQ(daemon->ingot({"wait", job}).code, 0) << built.err << daemon->ingot({"logs", job}).out;
  EXPECT_THAT(daemon->ingot({"get", job, "-o", "-"}).out, HasSubstr("k3s of an image"));
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

// More than a file system of a USB stick takes in one file, and more than an ISO does without being asked to.
void EdgeArtifacts::expect_large_content_comes_back_from_its_parts() {
  constexpr std::uintmax_t kRoom = 40ULL << 30U;
  if (fs::space(daemon->state()).available < kRoom) {
    std::puts("not tried: content of 7 GB, which needs 40 GiB of disk");
    return;
  }
  const fs::path content = daemon->project() / "edge/content-south/large.zst";
  daemon->project_file("edge/content-south/large.zst", "begin");
  fs::resize_file(content, 7ULL << 30U);
  {
    std::fstream file(content, std::ios::in | std::ios::out | std::ios::binary);
    for (const std::uint64_t at : {3'000'000'000ULL - 2, 6'000'000'000ULL - 2, (7ULL << 30U) - 3}) {
      file.seekp(static_cast<std::streamoff>(at));
      file << "end";
    }
  }
  daemon->project_file("edge/Earthfile", slurp(project() / "Earthfile") + R"(
joined:
    FROM edge+tools
    COPY +iso/edge.iso .
    RUN xorriso -osirrox on -indev edge.iso -extract /rootfs.squashfs system && \
        for part in 00 01 02; do unsquashfs -cat system opt/spectrocloud/content/large.zst_part$part; done | \
        openssl dgst -sha256 -r >sum
    SAVE ARTIFACT sum AS LOCAL sum
)");
  const auto built =
      run_program({binary("ingot"), "-C", "edge", "build", "+joined"}, daemon->project(), daemon->environment(), 1800s);
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const auto sum = run_program({"openssl", "dgst", "-sha256", "-r", content}, {}, {}, 600s).out;
  EXPECT_EQ(slurp(project() / "sum").substr(0, 64), sum.substr(0, 64));
}

TEST_F(EdgeArtifacts, are_pulled_and_run_start_on_every_firmware_install_and_come_up_again_with_what_persists) {
  const auto built = build_all();
  if (built.code != 0 && (built.out + built.err).find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  expect_provider_image();
  expect_payload_of_an_image();
  EXPECT_EQ(run_program({"sha256sum", "-c", "edge.iso.sha256"}, project() / "build").code, 0);
  EXPECT_LT(fs::file_size(iso()), 450U << 20U);

  EXPECT_EQ(squashfs_level(iso()), 3);
  expect_starts_everywhere();
  const auto disk = blank_disk("disk", 6ULL << 30U);
  expect_refusals_and_cut_short(disk);
  expect_installs(disk);
  expect_comes_up(disk);
  expect_persists(disk);
  expect_disk_image_comes_up_and_grows();
  expect_signed_system_installs_where_its_keys_are_enrolled();
  expect_large_content_comes_back_from_its_parts();
}

}  // namespace
}  // namespace ingot::test
