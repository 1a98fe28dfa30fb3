#include "daemon/edge/check_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/base/strings.h"
#include "daemon/edge/parameters.h"

namespace ingot::edge {

namespace {

class ParameterCheck {
 public:
  ParameterCheck(const Parameters& given, const Surroundings& surroundings)
      : given_(given), surroundings_(surroundings) {}

  Findings run() {
    for (const auto& [name, value] : given_) check_one(name, value);
    check_operating_system();
    check_kubernetes();
    check_payload();
    check_what_excludes();
    check_files();
    return std::move(findings_);
  }

 private:
  // The value, or what the project has where none is given: "" for all that is asked of here.
  std::string value(const std::string& name) const {
    const auto found = given_.find(name);
    return found == given_.end() ? std::string() : found->second.value;
  }
  bool is_on(const std::string& name) const { return value(name) == "true"; }

  Error about(const std::string& name, std::string message, std::string hint) const {
    Error error;
    error.kind = ErrorKind::invalid;
    error.message = std::move(message);
    error.hint = std::move(hint);
    const auto found = given_.find(name);
    if (found != given_.end()) error.position = found->second.position;
    return error;
  }
  void refuse(const std::string& name, std::string message, std::string hint = {}) {
    findings_.errors.push_back(about(name, std::move(message), std::move(hint)));
  }
  void warn(const std::string& name, std::string message, std::string hint = {}) {
    findings_.warnings.push_back(about(name, std::move(message), std::move(hint)));
  }

  void check_one(const std::string& name, const Given& given) {
    if (looks_secret(name) && !given.value.empty()) {
      refuse(name, name + " is a secret, and .arg is sent and kept with the job", "give it as --secret " + name);
      // Nor the value, which the line has: this is printed, and CI keeps what is.
      if (auto& position = findings_.errors.back().position) position->source_line.clear();
      return;
    }
    const Parameter* parameter = find_parameter(name);
    if (parameter == nullptr) {
      if (!is_known_family(name) && !surroundings_.declared.contains(name)) refuse_unknown(name);
      return;
    }
    if (given.value.empty()) return;  // as if it were not given
    if (!surroundings_.declared.contains(name) && !is_for_everyone(name) && given.value != "false") {
      warn(name, name + " changes nothing here: no Earthfile of this project has an ARG of this name");
    }
    if (given.value.find('$') != std::string::npos) {
      refuse(name, fmt::format("{}=\"{}\" has a variable that nothing has put in", name, shown(given.value)),
             ".arg knows only the names above that line; write the value out");
      return;
    }
    if (const auto objection = object_to(*parameter, given.value)) {
      refuse(name, fmt::format("{}=\"{}\" {}", name, shown(given.value), objection->message), objection->hint);
    }
  }

  void refuse_unknown(const std::string& name) {
    std::vector<std::string> names(surroundings_.declared.begin(), surroundings_.declared.end());
    for (const auto& each : known_parameters()) names.emplace_back(each.name);
    std::string hint;
    const std::string upper = base::to_upper(name);
    const auto same =
        std::find_if(names.begin(), names.end(), [&](const auto& each) { return base::to_upper(each) == upper; });
    hint = same != names.end() ? "did you mean " + *same + "?" : base::did_you_mean(name, names);
    if (upper == "K8S_VERSION") hint += " Without it " + all_versions() + " would be built.";
    refuse(name, name + " is no parameter of this project",
           hint.empty() ? "no Earthfile of it has an ARG of this name" : hint);
  }

  std::string all_versions() const {
    const std::string distribution = kubernetes();
    const auto* list = versions_of_distribution(distribution);
    return list == nullptr ? "every version" : fmt::format("all {} {} versions", list->size(), distribution);
  }

  std::string kubernetes() const {
    const std::string given = value("K8S_DISTRIBUTION");
    return given.empty() ? "k3s" : given;
  }
  const std::vector<std::string>* versions_of_distribution(const std::string& name) const {
    if (!surroundings_.versions) return nullptr;
    const auto found = surroundings_.versions->find(name);
    return found == surroundings_.versions->end() ? nullptr : &found->second;
  }

  void check_operating_system() {
    const std::string os = value("OS_DISTRIBUTION");
    const std::string version = value("OS_VERSION");
    const auto known = versions_of(os);
    if (value("BASE_IMAGE").empty() && (os == "rhel" || os == "sles")) {
      refuse("OS_DISTRIBUTION", os + " has no image that everybody may use",
             "name yours: BASE_IMAGE=registry/image:tag");
    }
    if (!known.empty() && !version.empty() && std::find(known.begin(), known.end(), version) == known.end()) {
      const std::vector<std::string> names(known.begin(), known.end());
      const auto longer =
          std::find_if(names.begin(), names.end(), [&](const auto& each) { return each.starts_with(version + "."); });
      refuse("OS_VERSION", fmt::format("OS_VERSION=\"{}\" is no version of {}", shown(version), os),
             longer != names.end() ? "did you mean " + *longer + "?" : "it may be " + base::join(names, ", "));
    }
    if (given_.contains("OS_VERSION") && version.empty() && given_.contains("OS_DISTRIBUTION")) {
      refuse(
          "OS_VERSION", "OS_VERSION is empty",
          known.empty() ? "write the version of " + os : "it may be " + base::join({known.begin(), known.end()}, ", "));
    }
  }

  void check_kubernetes() {
    const std::string distribution = kubernetes();
    const Parameter* parameter = find_parameter("K8S_DISTRIBUTION");
    if (!surroundings_.versions || object_to(*parameter, distribution)) return;
    const auto* list = versions_of_distribution(distribution);
    if (list == nullptr || list->empty()) {
      std::vector<std::string> there;
      for (const auto& [name, versions] : *surroundings_.versions) there.push_back(name);
      refuse("K8S_DISTRIBUTION", "k8s_version.json has no versions of " + distribution,
             there.empty() ? "add them" : "it has " + base::join(there, ", "));
      return;
    }
    const std::string version = value("K8S_VERSION");
    if (version.empty() || std::find(list->begin(), list->end(), version) != list->end()) return;
    refuse("K8S_VERSION", fmt::format("K8S_VERSION=\"{}\" is not in k8s_version.json", shown(version)),
           near_version(version, *list));
  }

  // Only a project that says where its payload may come from needs one.
  void check_payload() {
    const std::string distribution = kubernetes();
    if (!surroundings_.makes_provider_images || !surroundings_.declared.contains("K8S_PAYLOAD_URL")) return;
    if (!value("K8S_PAYLOAD_IMAGE").empty() || !value("K8S_PAYLOAD_URL").empty()) return;
    if (std::find(kPublished.begin(), kPublished.end(), distribution) != kPublished.end()) return;
    const auto* list = versions_of_distribution(distribution);
    const std::string version = value("K8S_VERSION");
    std::vector<std::string> missing;
    for (const auto& each :
         version.empty() ? (list == nullptr ? std::vector<std::string>() : *list) : std::vector{version}) {
      if (!surroundings_.has_file("k8s/" + distribution + "/" + each)) missing.push_back(each);
    }
    if (missing.empty()) return;
    const std::string more = missing.size() > 1 ? fmt::format(" and of {} more", missing.size() - 1) : "";
    refuse("K8S_DISTRIBUTION",
           fmt::format("the files of {} {}{} are nowhere: its releases are on no public site", distribution,
                       shown(missing.front()), more),
           fmt::format("put them into k8s/{}/{}/, or name an image that has them (K8S_PAYLOAD_IMAGE), or a mirror "
                       "(K8S_PAYLOAD_URL)",
                       distribution, shown(missing.front())));
  }

  // What has the same minor version is nearer than what has similar digits.
  static std::string near_version(const std::string& version, const std::vector<std::string>& list) {
    if (version.starts_with('v') && std::find(list.begin(), list.end(), version.substr(1)) != list.end()) {
      return "did you mean " + version.substr(1) + "?";
    }
    const std::string minor = version.substr(0, version.rfind('.') + 1);
    std::vector<std::string> near;
    for (const auto& each : list) {
      if (minor.size() > 1 && each.starts_with(minor)) near.push_back(each);
    }
    if (!near.empty()) return "there are " + base::join(near, ", ") + "; or add it to the file";
    return "the newest there is " + list.back() + "; or add it to the file";
  }

  void check_what_excludes() {
    const std::string os = value("OS_DISTRIBUTION");
    const std::string distribution = kubernetes();
    const bool arm = value("ARCH") == "arm64";
    if (is_on("INSTALL_NVIDIA_GPU_DRIVERS") && is_on("INSTALL_AMD_GPU_DRIVERS")) {
      refuse("INSTALL_AMD_GPU_DRIVERS", "drivers of NVIDIA and of AMD cannot be in one image",
             "switch one of them off");
    }
    if (is_on("FIPS_ENABLED") && is_on("UPDATE_KERNEL")) {
      refuse("UPDATE_KERNEL", "FIPS_ENABLED and UPDATE_KERNEL exclude each other: a newer kernel has no certificate",
             "switch one of them off");
    }
    if (is_on("FIPS_ENABLED") && (os == "debian" || os == "opensuse-leap")) {
      refuse("FIPS_ENABLED", os + " has no cryptography with a FIPS certificate", "ubuntu, rhel and sles have");
    }
    if (is_on("FIPS_ENABLED") && os == "ubuntu" && !is_on("UBUNTU_PRO_ATTACH") && value("BASE_IMAGE").empty()) {
      warn("FIPS_ENABLED", "only subscribers of Ubuntu Pro get its FIPS packages",
           "UBUNTU_PRO_ATTACH=true with --secret UBUNTU_PRO_KEY, or a BASE_IMAGE that has them");
    }
    if (is_on("FIPS_ENABLED") && (distribution == "k3s" || distribution == "nodeadm" || distribution == "canonical")) {
      refuse("FIPS_ENABLED", distribution + " has no FIPS build", "kubeadm-fips and rke2 have");
    }
    for (const char* name : {"IS_MAAS", "INSTALL_AMD_GPU_DRIVERS", "INSTALL_NVIDIA_GPU_DRIVERS"}) {
      if (is_on(name) && !os.empty() && os != "ubuntu")
        refuse(name, std::string(name) + " needs OS_DISTRIBUTION=ubuntu");
    }
    if (is_on("TWO_NODE") && distribution != "k3s" && distribution != "canonical") {
      refuse("TWO_NODE", "TWO_NODE needs K8S_DISTRIBUTION=k3s or canonical, not " + distribution);
    }
    for (const char* name : {"INSTALL_AMD_GPU_DRIVERS", "INSTALL_NVIDIA_GPU_DRIVERS"}) {
      if (is_on(name) && arm) refuse(name, std::string(name) + " needs ARCH=amd64");
    }
    if (is_on("TWO_NODE") && arm) refuse("TWO_NODE", "TWO_NODE needs ARCH=amd64");
    if (is_on("IS_UKI") && arm) refuse("IS_UKI", "IS_UKI needs ARCH=amd64");
    if (is_on("IS_UKI") && is_on("FORCE_INTERACTIVE_INSTALL")) {
      refuse("FORCE_INTERACTIVE_INSTALL", "a UKI installs by itself: there is nothing interactive",
             "switch one of them off");
    }
    if (!value("PROXY_CERT_PATH").empty())
      warn("PROXY_CERT_PATH", "PROXY_CERT_PATH is deprecated", "put it into certs/");
  }

  void check_files() {
    for (const auto& [name, given] : given_) {
      const Parameter* parameter = find_parameter(name);
      if (parameter == nullptr || parameter->shape != Shape::file || given.value.empty()) continue;
      if (!surroundings_.has_file(given.value)) {
        refuse(name, fmt::format("{}=\"{}\" is not in the project directory", name, shown(given.value)),
               "leave the parameter out to build without it");
      }
    }
  }

  static std::string shown(const std::string& text) { return base::printable(text); }
  static bool is_known_family(std::string_view name) {
    return name.starts_with("NVIDIA_") || name.starts_with("AMDGPU_");
  }
  // What builds take, or wrappers of them, without an ARG that says so.
  static bool is_for_everyone(std::string_view name) {
    return name == "SOURCE_DATE_EPOCH" || name == "HTTP_PROXY" || name == "HTTPS_PROXY" || name == "NO_PROXY" ||
           name == "PROXY_CERT_PATH";
  }
  static bool looks_secret(const std::string& name) {
    const std::string upper = base::to_upper(name);
    return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                       [&](std::string_view word) { return upper.find(word) != std::string::npos; }) ||
           upper == "UBUNTU_PRO_KEY";
  }

  // Distributions that anybody can fetch.
  static constexpr std::array<std::string_view, 3> kPublished = {"k3s", "rke2", "kubeadm"};
  static constexpr std::array<std::string_view, 4> kSecretWords = {"TOKEN", "PASSWORD", "PASSWD", "SECRET_KEY"};
  const Parameters& given_;
  const Surroundings& surroundings_;
  Findings findings_;
};

}  // namespace

bool is_edge_project(const std::set<std::string>& declared) {
  return declared.contains("OS_DISTRIBUTION") && declared.contains("K8S_DISTRIBUTION");
}

Findings check_parameters(const Parameters& given, const Surroundings& surroundings) {
  return ParameterCheck(given, surroundings).run();
}

}  // namespace ingot::edge
