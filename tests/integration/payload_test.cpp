#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "daemon/base/digest.h"
#include "tests/support/file_server.h"
#include "tests/support/source_directory.h"
#include "tests/support/test_daemon.h"

// How an edge project gets its Kubernetes: the loading code of edge-templates against a mirror on loopback, whose
// releases the test makes.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Payload : public testing::Test {
 protected:
  static fs::path program(const std::string& name) {
    return source_directory() / "edge-templates/project/edge/kubernetes" / name;
  }
  static std::string hash(const std::string& text) { return base::Digest::of(text).hex(); }
  RunResult fetch(const std::string& distribution, const std::string& version, const std::string& arch = "amd64") {
    return run_program({program("fetch"), distribution, version, arch,
                        "http://me:word@127.0.0.1:" + std::to_string(server.port()) + "/",
                        directory.path() / "SHA256SUMS", directory.path() / "out"});
  }
  void publish(const std::string& path, const std::string& text) { directory.file("mirror/" + path, text); }
  fs::path placed(const std::string& name) const { return directory.path() / "out/usr/local/bin" / name; }

  TempDirectory directory;
  FileServer server{directory.path() / "mirror", "me", "word"};
};

TEST_F(Payload, a_release_lands_where_hosts_look_for_it) {
  publish("k3s/1.32.3/k3s", "k3s of amd64");
  publish("k3s/1.32.3/sha256sum-amd64.txt", hash("k3s of amd64") + "  k3s\n" + hash("other") + "  k3s-images.txt\n");
  const auto fetched = fetch("k3s", "1.32.3");
  ASSERT_EQ(fetched.code, 0) << fetched.err;
  EXPECT_EQ(slurp(placed("k3s")), "k3s of amd64");
  EXPECT_NE(fs::status(placed("k3s")).permissions() & fs::perms::others_exec, fs::perms::none);
  const auto checked = run_program({program("check"), "k3s", "1.32.3", directory.path() / "out"});
  EXPECT_EQ(checked.code, 0) << checked.err;
}

TEST_F(Payload, another_architecture_is_another_file_of_the_same_name_on_the_host) {
  publish("k3s/1.32.3/k3s-arm64", "k3s of arm64");
  publish("k3s/1.32.3/sha256sum-arm64.txt", hash("k3s of arm64") + "  k3s-arm64\n");
  ASSERT_EQ(fetch("k3s", "1.32.3", "arm64").code, 0);
  EXPECT_EQ(slurp(placed("k3s")), "k3s of arm64");
}

// What a second host needs comes the same way.
TEST_F(Payload, kine_is_a_release_too) {
  publish("kine/0.11.4/kine-amd64", "kine");
  publish("kine/0.11.4/sha256sum-amd64.txt", hash("kine") + "  kine-amd64\n");
  ASSERT_EQ(fetch("kine", "0.11.4").code, 0);
  EXPECT_EQ(slurp(placed("kine")), "kine");
  EXPECT_EQ(run_program({program("check"), "kine", "0.11.4", directory.path() / "out"}).code, 0);
}

TEST_F(Payload, programs_of_kubeadm_have_a_hash_each) {
  for (const char* name : {"kubeadm", "kubelet", "kubectl"}) {
    publish(std::string("kubeadm/1.32.1/") + name, name);
    publish(std::string("kubeadm/1.32.1/") + name + ".sha256", hash(name) + "\n");
  }
  ASSERT_EQ(fetch("kubeadm", "1.32.1").code, 0);
  EXPECT_EQ(slurp(placed("kubectl")), "kubectl");
}

TEST_F(Payload, an_archive_is_unpacked) {
  directory.file("tree/bin/rke2", "rke2");
  directory.file("mirror/rke2/1.32.3/.keep", "");
  const fs::path archive = directory.path() / "mirror/rke2/1.32.3/rke2.linux-amd64.tar.gz";
  ASSERT_EQ(run_program({"tar", "-czf", archive, "-C", directory.path() / "tree", "bin"}).code, 0);
  publish("rke2/1.32.3/sha256sum-amd64.txt", hash(slurp(archive)) + "  rke2.linux-amd64.tar.gz\n");
  const auto fetched = fetch("rke2", "1.32.3");
  ASSERT_EQ(fetched.code, 0) << fetched.err;
  EXPECT_EQ(slurp(placed("rke2")), "rke2");
}

TEST_F(Payload, what_is_not_what_its_hash_says_does_not_land) {
  publish("k3s/1.32.3/k3s", "somebody else's");
  publish("k3s/1.32.3/sha256sum-amd64.txt", hash("k3s") + "  k3s\n");
  const auto refused = fetch("k3s", "1.32.3");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("1.32.3/k3s is not what its SHA-256 says"));
  EXPECT_FALSE(fs::exists(placed("k3s")));

  // The project's own pin counts more than what the mirror says of itself.
  publish("k3s/1.32.3/sha256sum-amd64.txt", hash("somebody else's") + "  k3s\n");
  directory.file("SHA256SUMS", hash("k3s") + "  k3s/1.32.3/k3s\n");
  EXPECT_NE(fetch("k3s", "1.32.3").code, 0);
  directory.file("SHA256SUMS", hash("somebody else's") + "  k3s/1.32.3/k3s\n");
  EXPECT_EQ(fetch("k3s", "1.32.3").code, 0);
}

TEST_F(Payload, what_cannot_be_had_is_told_with_the_three_ways) {
  publish("k3s/1.0.0/k3s", "without a list of hashes");
  for (const char* version : {"1.0.0", "9.9.9"}) {
    const auto refused = fetch("k3s", version);
    EXPECT_NE(refused.code, 0);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("k8s/k3s/" + std::string(version) + "/ in the project"),
                                   HasSubstr("K8S_PAYLOAD_IMAGE"), HasSubstr("K8S_PAYLOAD_URL")));
  }
}

TEST_F(Payload, one_that_lacks_what_it_is_for_is_refused) {
  directory.file("out/usr/local/bin/kubelet", "");
  const auto refused = run_program({program("check"), "kubeadm", "1.32.1", directory.path() / "out"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("the payload of kubeadm 1.32.1 has no kubeadm"));
}

}  // namespace
}  // namespace ingot::test
