#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/edge_artifacts.h"

namespace ingot::test {

using namespace std::chrono_literals;
using testing::HasSubstr;

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

// A database and kine for it, and nothing that two hosts must not have the same.
void EdgeArtifacts::expect_two_nodes_have_what_they_share_data_by() {
  const char* kine = "edge/k8s/kine/0.11.4/usr/local/bin/kine";
  daemon->project_file(kine, "#!/bin/sh\necho in the place of kine\n");
  fs::permissions(daemon->project() / kine, fs::perms::all);
  const std::string recipes = slurp(project() / "Earthfile");
  daemon->project_file("edge/Earthfile", recipes + R"END(
two-nodes:
    FROM +provider-system --TWO_NODE=true
    RUN test "$(kine)" = "in the place of kine" && command -v pg_ctlcluster && id postgres
    RUN test -z "$(find /etc/postgresql /var/lib/postgresql /etc/ssl/private -type f)"
)END");
  const auto built = daemon->ingot({"-C", "edge", "build", "+two-nodes"});
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  daemon->project_file("edge/Earthfile", recipes);
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

}  // namespace ingot::test
