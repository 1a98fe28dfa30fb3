#include "daemon/edge/check_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::edge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Surroundings project() {
  return {{"OS_DISTRIBUTION", "K8S_DISTRIBUTION", "MY_OWN"},
          KubernetesVersions{{"k3s", {"1.31.9", "1.32.1", "1.32.3"}}, {"rke2", {"1.32.3"}}},
          [](const std::string& path) { return path == "spc.tgz"; }};
}

// "message | hint" of each error.
std::vector<std::string> errors(const std::map<std::string, std::string>& given) {
  Parameters parameters;
  for (const auto& [name, value] : given) parameters[name] = {value, {}};
  std::vector<std::string> texts;
  for (const auto& error : check_parameters(parameters, project()).errors)
    texts.push_back(error.message + " | " + error.hint);
  return texts;
}

TEST(CheckParameters, what_is_right_is_left_alone) {
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "ubuntu"},
                      {"OS_VERSION", "22.04"},
                      {"K8S_DISTRIBUTION", "k3s"},
                      {"K8S_VERSION", "1.32.3"},
                      {"IMAGE_REGISTRY", "registry.example.com:5000/edge/team"},
                      {"IMAGE_REPO", "ubuntu"},
                      {"CUSTOM_TAG", ""},
                      {"ISO_NAME", "palette-edge-installer"},
                      {"MY_OWN", "x"},
                      {"NVIDIA_DRIVER", "550"},
                      {"HTTP_PROXY", ""},
                      {"CLUSTERCONFIG", "spc.tgz"},
                      {"SOURCE_DATE_EPOCH", "1700000000"},
                      {"UPDATE_KERNEL", "false"}}),
              IsEmpty());
}

// Who sets it expects something of it.
TEST(CheckParameters, what_nothing_in_the_project_takes_is_a_warning) {
  const auto warnings = [](const std::string& name, const std::string& value) {
    std::vector<std::string> texts;
    for (const auto& each : check_parameters({{name, {value, {}}}}, project()).warnings) texts.push_back(each.message);
    return texts;
  };
  EXPECT_THAT(warnings("DRBD_VERSION", "9.2"), ElementsAre(HasSubstr("DRBD_VERSION changes nothing here")));
  EXPECT_THAT(warnings("DEBUG", "false"), IsEmpty());
  EXPECT_THAT(warnings("DRBD_VERSION", ""), IsEmpty());
  EXPECT_THAT(warnings("SOURCE_DATE_EPOCH", "1700000000"), IsEmpty());
}

TEST(CheckParameters, a_key_in_other_letters_is_told_with_what_it_would_cost) {
  EXPECT_THAT(
      errors({{"K8s_VERSION", "1.32.3"}}),
      ElementsAre("K8s_VERSION is no parameter of this project | did you mean K8S_VERSION? Without it all 3 k3s "
                  "versions would be built."));
  EXPECT_THAT(errors({{"ISO_NAEM", "x"}}), ElementsAre(HasSubstr("ISO_NAME")));
  EXPECT_THAT(errors({{"WHATEVER", "x"}}), ElementsAre(HasSubstr("no Earthfile of it has an ARG of this name")));
}

TEST(CheckParameters, values_that_are_none) {
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "Ubuntu"}}), ElementsAre(HasSubstr("did you mean \"ubuntu\"?")));
  EXPECT_THAT(errors({{"ARCH", "x86_64"}}), ElementsAre(HasSubstr("it may be amd64, arm64")));
  EXPECT_THAT(errors({{"UPDATE_KERNEL", "yes"}}), ElementsAre(HasSubstr("is none of true, false")));
  EXPECT_THAT(errors({{"IMAGE_REGISTRY", "https://ttl.sh"}}),
              ElementsAre(AllOf(HasSubstr("has a scheme"), HasSubstr("ttl.sh"))));
  EXPECT_THAT(errors({{"IMAGE_REGISTRY", "my_registry.local"}}), ElementsAre(HasSubstr("underscore")));
  EXPECT_THAT(errors({{"IMAGE_REPO", "Ubuntu"}}), ElementsAre(HasSubstr("cannot be the name of an image")));
  EXPECT_THAT(errors({{"CUSTOM_TAG", "a b"}}), ElementsAre(HasSubstr("image's tag")));
  EXPECT_THAT(errors({{"ISO_NAME", "out/mine"}}), ElementsAre(HasSubstr("has a slash")));
  EXPECT_THAT(errors({{"EFI_MAX_SIZE", "2G"}}), ElementsAre(HasSubstr("no whole number")));
  EXPECT_THAT(errors({{"IMAGE_REPO", "${OS_DISTRIBUTION"}}),
              ElementsAre(HasSubstr("a variable that nothing has put in")));
  EXPECT_THAT(errors({{"ISO_NAME", "a\033[2J"}}), ElementsAre(testing::Not(HasSubstr("\033"))));
}

TEST(CheckParameters, versions) {
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "ubuntu"}, {"OS_VERSION", "24"}}),
              ElementsAre(HasSubstr("did you mean 24.04?")));
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "ubuntu"}, {"OS_VERSION", ""}}),
              ElementsAre(HasSubstr("OS_VERSION is empty")));
  EXPECT_THAT(errors({{"K8S_VERSION", "1.32.2"}}), ElementsAre(HasSubstr("there are 1.32.1, 1.32.3")));
  EXPECT_THAT(errors({{"K8S_VERSION", "v1.32.3"}}), ElementsAre(HasSubstr("did you mean 1.32.3?")));
  EXPECT_THAT(errors({{"K8S_DISTRIBUTION", "kubeadm"}}), ElementsAre(HasSubstr("it has k3s, rke2")));
}

TEST(CheckParameters, what_excludes_each_other) {
  EXPECT_THAT(errors({{"INSTALL_NVIDIA_GPU_DRIVERS", "true"}, {"INSTALL_AMD_GPU_DRIVERS", "true"}}),
              ElementsAre(HasSubstr("NVIDIA and of AMD")));
  EXPECT_THAT(errors({{"FIPS_ENABLED", "true"}, {"UPDATE_KERNEL", "true"}, {"K8S_DISTRIBUTION", "rke2"}}),
              ElementsAre(HasSubstr("exclude each other")));
  EXPECT_THAT(errors({{"FIPS_ENABLED", "true"}}), ElementsAre(HasSubstr("k3s has no FIPS build")));
  EXPECT_THAT(errors({{"FIPS_ENABLED", "true"}, {"OS_DISTRIBUTION", "debian"}, {"K8S_DISTRIBUTION", "rke2"}}),
              ElementsAre("debian has no cryptography with a FIPS certificate | ubuntu, rhel and sles have"));
  EXPECT_THAT(errors({{"IS_MAAS", "true"}, {"OS_DISTRIBUTION", "opensuse-leap"}}),
              ElementsAre(HasSubstr("needs OS_DISTRIBUTION=ubuntu")));
  EXPECT_THAT(errors({{"INSTALL_NVIDIA_GPU_DRIVERS", "true"}, {"OS_DISTRIBUTION", "debian"}}),
              ElementsAre(HasSubstr("needs OS_DISTRIBUTION=ubuntu")));
  EXPECT_THAT(errors({{"TWO_NODE", "true"}, {"K8S_DISTRIBUTION", "rke2"}}),
              ElementsAre(HasSubstr("k3s or canonical, not rke2")));
  EXPECT_THAT(errors({{"TWO_NODE", "true"}, {"ARCH", "arm64"}}), ElementsAre(HasSubstr("TWO_NODE needs ARCH=amd64")));
  EXPECT_THAT(errors({{"IS_UKI", "true"}, {"ARCH", "arm64"}}), ElementsAre(HasSubstr("IS_UKI needs")));
  EXPECT_THAT(errors({{"INSTALL_AMD_GPU_DRIVERS", "true"}, {"ARCH", "arm64"}}),
              ElementsAre(HasSubstr("INSTALL_AMD_GPU_DRIVERS needs ARCH=amd64")));
  EXPECT_THAT(errors({{"IS_UKI", "true"}, {"FORCE_INTERACTIVE_INSTALL", "true"}}),
              ElementsAre(HasSubstr("nothing interactive")));
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "rhel"}}), ElementsAre(HasSubstr("BASE_IMAGE=")));
  EXPECT_THAT(errors({{"OS_DISTRIBUTION", "rhel"}, {"BASE_IMAGE", "r/rhel:9"}}), IsEmpty());
}

TEST(CheckParameters, files_that_are_named_are_there) {
  EXPECT_THAT(errors({{"CLUSTERCONFIG", "none.tgz"}}), ElementsAre(HasSubstr("is not in the project directory")));
}

TEST(CheckParameters, a_secret_is_refused_and_not_repeated) {
  EXPECT_THAT(errors({{"EDGE_TOKEN", "hunter2"}}),
              ElementsAre(AllOf(HasSubstr("--secret EDGE_TOKEN"), testing::Not(HasSubstr("hunter2")))));
  EXPECT_THAT(errors({{"UBUNTU_PRO_KEY", "x"}}), ElementsAre(HasSubstr("is a secret")));
}

TEST(CheckParameters, nor_is_the_line_of_a_secret) {
  const Parameters given{{"EDGE_TOKEN", {"hunter2", proto::Position{".arg", 3, 1, "EDGE_TOKEN=hunter2"}}}};
  const auto findings = check_parameters(given, project());
  ASSERT_EQ(findings.errors.size(), 1U);
  EXPECT_THAT(proto::render(findings.errors.front()), AllOf(HasSubstr(".arg:3"), testing::Not(HasSubstr("hunter2"))));
}

TEST(CheckParameters, errors_stand_where_the_value_does) {
  Parameters given{{"ARCH", {"mips", proto::Position{".arg", 3, 1, "ARCH=mips"}}}};
  const auto findings = check_parameters(given, project());
  ASSERT_EQ(findings.errors.size(), 1U);
  EXPECT_EQ(findings.errors.front().position->line, 3);
}

TEST(CheckParameters, what_is_deprecated_is_a_warning) {
  const auto findings = check_parameters({{"PROXY_CERT_PATH", {"ca.crt", {}}}}, project());
  EXPECT_THAT(findings.errors, IsEmpty());
  EXPECT_EQ(findings.warnings.size(), 1U);
}

TEST(CheckParameters, only_projects_that_make_edge_artifacts_are_meant) {
  EXPECT_TRUE(is_edge_project({"OS_DISTRIBUTION", "K8S_DISTRIBUTION", "X"}));
  EXPECT_FALSE(is_edge_project({"K8S_VERSION"}));
}

TEST(KubernetesVersions, are_read_with_errors_at_their_place) {
  const auto read = parse_kubernetes_versions(R"({"k3s": ["1.2.3", "1.2.4"]})", "k8s_version.json");
  ASSERT_TRUE(read);
  EXPECT_THAT(read->at("k3s"), ElementsAre("1.2.3", "1.2.4"));
  const auto cut = parse_kubernetes_versions("{\n  \"k3s\": [\n", "k8s_version.json");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().position->line, 3);
  EXPECT_FALSE(parse_kubernetes_versions("[]", "f"));
  EXPECT_FALSE(parse_kubernetes_versions(R"({"k3s": "1.2.3"})", "f"));
  EXPECT_FALSE(parse_kubernetes_versions(R"({"k3s": [1]})", "f"));
}

TEST(CheckParameters, kubernetes_that_can_come_from_nowhere_is_told_with_the_three_ways) {
  Surroundings surroundings = project();
  surroundings.declared.insert("K8S_PAYLOAD_URL");
  surroundings.versions = KubernetesVersions{{"nodeadm", {"1.31.1", "1.32.1", "1.32.2"}}};
  surroundings.has_file = [](const std::string& path) { return path == "k8s/nodeadm/1.31.1"; };
  surroundings.makes_provider_images = true;
  const auto errors = [&](Parameters given) {
    given["K8S_DISTRIBUTION"] = {"nodeadm", {}};
    std::string all;
    for (const auto& error : check_parameters(given, surroundings).errors) all += error.message + " | " + error.hint;
    return all;
  };
  EXPECT_EQ(errors({}),
            "the files of nodeadm 1.32.1 and of 1 more are nowhere: its releases are on no public site | put "
            "them into k8s/nodeadm/1.32.1/, or name an image that has them (K8S_PAYLOAD_IMAGE), or a mirror "
            "(K8S_PAYLOAD_URL)");
  EXPECT_EQ(errors({{"K8S_VERSION", {"1.31.1", {}}}}), "");
  EXPECT_EQ(errors({{"K8S_PAYLOAD_URL", {"https://mirror.example", {}}}}), "");
  EXPECT_EQ(errors({{"K8S_PAYLOAD_IMAGE", {"registry.example/kubernetes", {}}}}), "");
  surroundings.makes_provider_images = false;
  EXPECT_EQ(errors({}), "") << "an ISO needs no Kubernetes";
}

}  // namespace
}  // namespace ingot::edge
