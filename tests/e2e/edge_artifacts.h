#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"
#include "tests/support/virtual_machine.h"

namespace ingot::test {

namespace fs = std::filesystem;

// A machine without KVM on a host that does other things as well is slow, and that is no error.
constexpr auto kPatience = std::chrono::seconds(600);

// What `ingot init` writes, built once and looked at from all sides: its images (edge_artifacts_images.cpp), and
// machines that start from its ISO (edge_artifacts_hosts.cpp).
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
  RunResult on_host(const std::string& command) const;
  bool answers() const;  // its sshd comes up behind its console
  fs::path key() const { return directory.path() / "key"; }
  fs::path iso() const { return project() / "build/edge.iso"; }
  fs::path project() const { return daemon->project() / "edge"; }
  fs::path blank_disk(const std::string& name, std::uintmax_t size) const;
  RunResult build_all();
  void expect_provider_image();
  void expect_payload_of_an_image();
  void expect_two_nodes_have_what_they_share_data_by();
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

}  // namespace ingot::test
