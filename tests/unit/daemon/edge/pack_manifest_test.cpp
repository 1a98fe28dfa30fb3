#include "daemon/edge/pack_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace ingot::edge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string manifest_of(const std::string& name, const Pairs& annotations, const Pairs& args) {
  const auto image = provider_image(name, annotations, args);
  return image ? pack_manifest({*image}) : "no provider image";
}

TEST(PackManifest, is_what_a_cluster_profile_takes) {
  EXPECT_EQ(manifest_of("ttl.sh/ubuntu:k3s-1.27.2-v4.4.12-palette-learn", {},
                        {{"CUSTOM_TAG", "palette-learn"}, {"OS_DISTRIBUTION", "ubuntu"}, {"OS_VERSION", "22"}}),
            R"(pack:
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
  system.osVersion: 22
)");
}

TEST(PackManifest, without_a_custom_tag_no_dash_is_left_over) {
  const auto text = manifest_of("localhost:5000/edge/debian:rke2-1.32.3-v1.0.0-rc.1", {{kCustomTagAnnotation, ""}}, {});
  EXPECT_THAT(text, AllOf(HasSubstr("options.system.peVersion }}\"\n"), Not(HasSubstr("customTag"))));
  const auto options = YAML::Load(text)["options"];
  EXPECT_EQ(options["system.peVersion"].Scalar(), "v1.0.0-rc.1");
  EXPECT_EQ(options["system.registry"].Scalar(), "localhost:5000/edge");
  EXPECT_EQ(options["system.repo"].Scalar(), "debian");
}

// What an image says of itself counts more than what its job was asked for.
TEST(PackManifest, is_the_images_own) {
  const auto options = YAML::Load(
      manifest_of("ttl.sh/debian:kubeadm-fips-1.30.4-v2-a-b",
                  {{kCustomTagAnnotation, "a-b"}, {kOsAnnotation, "debian"}, {kOsVersionAnnotation, "24.10"}},
                  {{"CUSTOM_TAG", "b"}, {"OS_DISTRIBUTION", "ubuntu"}}))["options"];
  EXPECT_EQ(options["system.k8sDistribution"].Scalar(), "kubeadm-fips");
  EXPECT_EQ(options["system.peVersion"].Scalar(), "v2");
  EXPECT_EQ(options["system.customTag"].Scalar(), "a-b");
  EXPECT_EQ(options["system.osName"].Scalar(), "debian");
  EXPECT_EQ(options["system.osVersion"].as<std::string>(), "24.10");
  EXPECT_EQ(options["system.osVersion"].Tag(), "!") << "unquoted it would be the number 24.1";
}

// A label may say anything.
TEST(PackManifest, whatever_a_label_says_is_read_as_that_text) {
  for (const std::string value :
       {"24.10",    "true",        "No",      "a: b",     "x #y",       "\"quoted\" \\", "- a",
        "012",      "1e3",         "0x1f",    "12:30:00", "2024-10-01", "24_10",         "0b101",
        "20241001", "line\nbreak", "{{ x }}", "ends:",    "1.2.3",      "9 (stretch)",   "127.0.0.1:5000/edge"}) {
    const auto text = manifest_of("ttl.sh/debian:k3s-1.27.2-v1", {{kOsVersionAnnotation, value}}, {});
    const auto node = YAML::Load(text)["options"]["system.osVersion"];
    EXPECT_EQ(node.Scalar(), value);
    EXPECT_EQ(node.Tag(), value == "1.2.3" || value.starts_with("127.") ? "?" : "!") << value;
  }
}

// Only CUSTOM_TAG of a project's defaults is in no argument: then the version ends where the first dash is.
TEST(PackManifest, a_tag_that_nobody_gave_is_what_is_behind_the_version) {
  const auto options = YAML::Load(manifest_of("ttl.sh/ubuntu:k3s-1.27.2-v4.4.12-demo", {}, {}))["options"];
  EXPECT_EQ(options["system.peVersion"].Scalar(), "v4.4.12");
  EXPECT_EQ(options["system.customTag"].Scalar(), "demo");
  EXPECT_FALSE(options["system.osName"]);
}

TEST(PackManifest, is_one_for_all_versions_and_one_more_for_another_system) {
  const auto one = *provider_image("ttl.sh/ubuntu:k3s-1.27.2-v1-demo", {}, {});
  const auto newer = *provider_image("ttl.sh/ubuntu:k3s-1.32.3-v1-demo", {}, {});
  const auto other = *provider_image("ttl.sh/debian:k3s-1.32.3-v1-demo", {}, {});
  EXPECT_EQ(pack_manifest({one, newer}), pack_manifest({one}));
  EXPECT_EQ(YAML::LoadAll(pack_manifest({one, newer, other})).size(), 2U);
  EXPECT_EQ(pack_manifest({}), "");
}

TEST(PackManifest, other_images_have_none) {
  for (const char* name : {"ttl.sh/ubuntu:22.04", "debian:12", "k3s-1.27.2-v1", "ttl.sh/ubuntu:k3s-latest-v1",
                           "ttl.sh/ubuntu:k3s-1.27.2", "ttl.sh:5000/ubuntu", "palette-installer-image:v1-demo"}) {
    EXPECT_FALSE(provider_image(name, {}, {})) << name;
  }
}

}  // namespace
}  // namespace ingot::edge
