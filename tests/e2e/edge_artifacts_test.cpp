#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>

#include "tests/e2e/edge_artifacts.h"

// What `ingot init` writes builds provider images that others can pull and run, and an ISO that starts on every kind of
// firmware, installs, and comes up. One build is looked at from all sides: it is most of the time.
namespace ingot::test {

using namespace std::chrono_literals;

namespace {

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

}  // namespace

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

TEST_F(EdgeArtifacts, are_pulled_and_run_start_on_every_firmware_install_and_come_up_again_with_what_persists) {
  const auto built = build_all();
  if (built.code != 0 && (built.out + built.err).find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  expect_provider_image();
  expect_payload_of_an_image();
  expect_two_nodes_have_what_they_share_data_by();
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

}  // namespace ingot::test
