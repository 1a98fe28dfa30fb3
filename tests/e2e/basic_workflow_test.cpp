#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

// What the documentation of CanvOS has people do first, line by line, with Ingot in the place of Earthly and podman in
// that of docker. There is no Ubuntu here: its image is a Debian with packages of Ubuntu's names, in a registry on
// loopback, which takes the place of ttl.sh as well.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;

using testing::HasSubstr;

constexpr const char* kUbuntu = R"E(VERSION 0.8
ubuntu:
    FROM debian:12
    RUN mkdir -p /package/DEBIAN && \
        printf '%s\n' 'Package: linux-image-generic' 'Version: 1' 'Architecture: amd64' 'Depends: linux-image-amd64' \
            'Maintainer: nobody <nobody@localhost>' 'Description: what a kernel is called on Ubuntu' >/package/DEBIAN/control && \
        dpkg-deb --root-owner-group --build /package /package.deb
    RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
        export DEBIAN_FRONTEND=noninteractive INITRD=No; \
        apt-get update -qq && apt-get install -y -qq --no-install-recommends /package.deb && rm -rf /var/lib/apt/lists/* /package*
    ARG --required REGISTRY
    SAVE IMAGE --push $REGISTRY/library/ubuntu:22.04
)E";

// The manifest as the documentation shows it, but for the version: without quotes it would be a number, and 22.10
// another one.
constexpr const char* kManifest = R"E(pack:
  content:
    images:
      - image: "{{.spectro.pack.edge-native-byoi.options.system.uri}}"
  # Below config is default value, please uncomment if you want to modify default values
  # drain:
    #cordon: true
    #timeout: 60 # The length of time to wait before giving up, zero means infinite
    #gracePeriod: 60 # Period of time in seconds given to each pod to terminate gracefully. If negative, the default value specified in the pod will be used
    #ignoreDaemonSets: true
    #deleteLocalData: true # Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained)
    #force: true # Continue even if there are pods that do not declare a controller
    #disableEviction: false # Force drain to use delete, even if eviction is supported. This will bypass checking PodDisruptionBudgets, use with caution
    #skipWaitForDeleteTimeout: 60 # If pod DeletionTimestamp older than N seconds, skip waiting for the pod. Seconds must be greater than 0 to skip.
options:
  system.uri: "{{ .spectro.pack.edge-native-byoi.options.system.registry }}/{{ .spectro.pack.edge-native-byoi.options.system.repo }}:{{ .spectro.pack.edge-native-byoi.options.system.k8sDistribution }}-{{ .spectro.system.kubernetes.version }}-{{ .spectro.pack.edge-native-byoi.options.system.peVersion }}-{{ .spectro.pack.edge-native-byoi.options.system.customTag }}"

  system.registry: ttl.sh
  system.repo: ubuntu
  system.k8sDistribution: k3s
  system.osName: ubuntu
  system.peVersion: v4.4.12
  system.customTag: palette-learn
  system.osVersion: "22.04"
)E";

class BasicWorkflow : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    const std::string plain = "source: registry, insecure: true";
    daemon.emplace(
        std::vector<std::string>{"--images", "[{match: 'debian:*', source: bootstrap}, {match: 'ubuntu:*', " + plain +
                                                 ", prefix: '" + registry.host() + "'}, {match: '*', " + plain + "}]"});
    fs::create_directories(directory.path() / "bin");
    fs::create_symlink(fs::canonical(binary("ingot")), directory.path() / "bin/earthly");
    // Images go to a store of podman's that is this test's alone.
    directory.file("storage.conf", "[storage]\ndriver = \"vfs\"\ngraphroot = \"" +
                                       (directory.path() / "graph").string() + "\"\nrunroot = \"" +
                                       (directory.path() / "run").string() + "\"\n");
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }
  fs::path project() const { return daemon->project() / "CanvOS"; }
  // A line of the documentation, in the project's directory.
  RunResult shell(const std::string& line) {
    auto environment = daemon->environment();
    environment["PATH"] = (directory.path() / "bin").string() + ":" + getenv("PATH");
    environment["CONTAINERS_STORAGE_CONF"] = directory.path() / "storage.conf";
    environment["CUSTOM_TAG"] = "palette-learn";
    environment["token"] = "aaaabbbbccccdddd";
    return run_program({"bash", "-c", line}, project(), environment, 1200s);
  }
  // Whether the image that stands for Ubuntu's is in the registry.
  RunResult make_ubuntu() {
    daemon->project_file("ubuntu/Earthfile", kUbuntu);
    return run_program({binary("ingot"), "-C", "ubuntu", "build", "--push", "+ubuntu", "--REGISTRY=" + registry.host()},
                       daemon->project(), daemon->environment(), 900s);
  }
  void make_project();

  TempDirectory directory;
  Registry registry{RegistrySetup{}};
  std::optional<TestDaemon> daemon;
};

// In the place of `git clone` and `git checkout v4.4.12`, whose payload nobody can fetch here.
void BasicWorkflow::make_project() {
  ASSERT_EQ(daemon->ingot({"init", "--os", "ubuntu", "CanvOS"}).code, 0);
  daemon->project_file("CanvOS/k8s/k3s/1.27.2/usr/local/bin/k3s", "#!/bin/sh\necho in the place of k3s\n");
  fs::permissions(project() / "k8s/k3s/1.27.2/usr/local/bin/k3s", fs::perms::all);
}

TEST_F(BasicWorkflow, goes_line_by_line_and_shows_what_the_documentation_shows) {
  const auto ubuntu = make_ubuntu();
  if (ubuntu.code != 0 && (ubuntu.out + ubuntu.err).find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  ASSERT_EQ(ubuntu.code, 0) << ubuntu.out << ubuntu.err;
  make_project();

  ASSERT_EQ(shell(R"E(cat << EOF > .arg
CUSTOM_TAG=$CUSTOM_TAG
IMAGE_REGISTRY=ttl.sh
OS_DISTRIBUTION=ubuntu
IMAGE_REPO=ubuntu
OS_VERSION=22.04
K8S_DISTRIBUTION=k3s
K8s_VERSION=1.27.2
ISO_NAME=palette-edge-installer
ARCH=amd64
HTTPS_PROXY=
HTTP_PROXY=
PROXY_CERT_PATH=
UPDATE_KERNEL=false
EOF
cat <<EOF > user-data
#cloud-config
stylus:
  site:
    edgeHostToken: $token
install:
  poweroff: true
stages:
  initramfs:
    - name: "Core system setup"
      users:
        kairos:
          groups:
            - admin
          passwd: kairos
EOF
echo PE_VERSION=v4.4.12 >>.arg)E")
                .code,
            0);

  // The documentation's own mistake, which builds every version elsewhere.
  const auto misspelt = shell("earthly +build-all-images");
  EXPECT_NE(misspelt.code, 0);
  EXPECT_THAT(misspelt.err, AllOf(HasSubstr(".arg:7:1: K8s_VERSION is no parameter of this project"),
                                  HasSubstr("did you mean K8S_VERSION?")));
  ASSERT_EQ(shell("sed -i s/K8s_VERSION/K8S_VERSION/ .arg").code, 0);

  const auto built = shell("earthly +build-all-images");
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.err, HasSubstr("= SUCCESS ="));
  EXPECT_THAT(built.out + built.err, HasSubstr(kManifest));
  EXPECT_EQ((built.out + built.err).find("aaaabbbbccccdddd"), std::string::npos);

  EXPECT_EQ(shell("ls build/").out, "palette-edge-installer.iso\npalette-edge-installer.iso.sha256\n");
  EXPECT_EQ(shell("cd build && sha256sum -c palette-edge-installer.iso.sha256").out,
            "palette-edge-installer.iso: OK\n");
  EXPECT_EQ(shell("podman images --filter=reference='*/*:*palette-learn' --format '{{.Repository}} {{.Tag}}'").out,
            "ttl.sh/ubuntu k3s-1.27.2-v4.4.12-palette-learn\n");

  const std::string name = "ttl.sh/ubuntu:k3s-1.27.2-v4.4.12-palette-learn";
  const std::string loopback = registry.host() + "/" + name;
  const auto pushed = daemon->ingot({"push", name, loopback});
  EXPECT_EQ(pushed.code, 0) << pushed.err;
  const auto there =
      run_program({"skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://" + loopback});
  EXPECT_THAT(pushed.out, HasSubstr(there.out.substr(0, 71)));
}

}  // namespace
}  // namespace ingot::test
