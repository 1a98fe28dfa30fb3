#include "daemon/edge/parameters.h"

#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"

namespace ingot::edge {

namespace {

using Texts = std::vector<std::string>;

Texts owned(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || more.find(c) != std::string_view::npos;
  });
}

std::optional<Objection> object_to_choice(const std::vector<std::string_view>& choices, const std::string& value) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return std::nullopt;
  const std::string lower = base::to_lower(value);
  std::string hint = std::find(choices.begin(), choices.end(), lower) != choices.end()
                         ? "did you mean \"" + lower + "\"? Upper and lower case differ"
                         : base::did_you_mean(value, owned(choices));
  if (hint.empty()) hint = "it may be " + base::join(owned(choices), ", ");
  return Objection{"is none of " + base::join(owned(choices), ", "), hint};
}

std::optional<Objection> object_to_registry(const std::string& value) {
  if (const std::size_t scheme = value.find("://"); scheme != std::string::npos) {
    return Objection{"has a scheme", "a registry is a host: " + value.substr(scheme + 3)};
  }
  const std::string host = value.substr(0, value.find('/'));
  if (host.find('_') != std::string::npos) {
    return Objection{"has an underscore in its host", "names of hosts are letters, digits, \"-\" and \".\""};
  }
  if (value.empty() || value.back() == '/' || value.front() == '/') {
    return Objection{value.empty() ? "is empty" : "begins or ends with a slash", "such as registry.example.com/edge"};
  }
  if (!all_of(host, "-.:[]")) return Objection{"is no name of a host", "such as registry.example.com/edge"};
  const std::string_view path = std::string_view(value).substr(host.size());
  if (!std::all_of(path.begin(), path.end(), [](char c) {
        return is_lower_or_digit(c) || std::string_view("-._/").find(c) != std::string_view::npos;
      })) {
    return Objection{"has a path with other characters than a-z, 0-9, \".\", \"_\" and \"-\"",
                     "write it in lower case"};
  }
  return std::nullopt;
}

std::optional<Objection> object_to_repository(const std::string& value) {
  const bool right = !value.empty() && is_lower_or_digit(value.front()) && is_lower_or_digit(value.back()) &&
                     std::all_of(value.begin(), value.end(), [](char c) {
                       return is_lower_or_digit(c) || std::string_view("-._/").find(c) != std::string_view::npos;
                     });
  if (right) return std::nullopt;
  return Objection{"cannot be the name of an image", "a-z and 0-9, with \".\", \"_\", \"-\" and \"/\" between them"};
}

std::optional<Objection> object_to_tag(const std::string& value) {
  constexpr std::size_t kLongestTag = 128;
  if (all_of(value, "._-") && value.size() <= kLongestTag && !value.starts_with('.') && !value.starts_with('-')) {
    return std::nullopt;
  }
  return Objection{"cannot be part of an image's tag", "letters, digits, \".\", \"_\" and \"-\", at most 128"};
}

std::optional<Objection> object_to_file_name(const std::string& value) {
  if (value.find('/') != std::string::npos)
    return Objection{"has a slash", "it is one name: the file goes into build/"};
  if (!value.empty() && all_of(value, "._-") && value.front() != '.') return std::nullopt;
  return Objection{value.empty() ? "is empty" : "has other characters than letters, digits, \".\", \"_\" and \"-\"",
                   "such as palette-edge-installer"};
}

}  // namespace

const std::vector<Parameter>& known_parameters() {
  static const std::vector<Parameter> kParameters = {
      {"OS_DISTRIBUTION", Shape::choice, {"debian", "ubuntu", "opensuse-leap", "rhel", "sles"}},
      {"OS_VERSION"},
      {"K8S_DISTRIBUTION", Shape::choice, {"k3s", "rke2", "kubeadm", "kubeadm-fips", "nodeadm", "canonical"}},
      {"K8S_VERSION"},
      {"K8S_PAYLOAD_IMAGE"},
      {"K8S_PAYLOAD_URL"},
      {"IMAGE_REGISTRY", Shape::registry},
      {"IMAGE_REPO", Shape::repository},
      {"CUSTOM_TAG", Shape::tag},
      {"ISO_NAME", Shape::file_name},
      {"ARCH", Shape::choice, {"amd64", "arm64"}},
      {"BASE_IMAGE"},
      {"FIPS_ENABLED", Shape::flag},
      {"UPDATE_KERNEL", Shape::flag},
      {"CIS_HARDENING", Shape::flag},
      {"DISABLE_SELINUX", Shape::flag},
      {"UBUNTU_PRO_ATTACH", Shape::flag},
      {"TWO_NODE", Shape::flag},
      {"KINE_VERSION"},
      {"BUNDLE_K8S_AND_AGENT_PROVIDER", Shape::flag},
      {"CLUSTERCONFIG", Shape::file},
      {"EDGE_CUSTOM_CONFIG", Shape::file},
      {"FORCE_INTERACTIVE_INSTALL", Shape::flag},
      {"DEBUG", Shape::flag},
      {"SOURCE_DATE_EPOCH", Shape::number},  // the daemon's own: bounds the times in images
      {"HTTP_PROXY"},
      {"HTTPS_PROXY"},
      {"NO_PROXY"},
      {"PROXY_CERT_PATH"},
      {"DRBD_VERSION"},
      {"IS_UKI", Shape::flag},
      {"INCLUDE_MS_SECUREBOOT_KEYS", Shape::flag},
      {"AUTO_ENROLL_SECUREBOOT_KEYS", Shape::flag},
      {"UKI_BRING_YOUR_OWN_KEYS", Shape::flag},
      {"MY_ORG"},
      {"EXPIRATION_IN_DAYS", Shape::number},
      {"CMDLINE"},
      {"BRANDING"},
      {"EFI_MAX_SIZE", Shape::number},
      {"EFI_IMG_SIZE", Shape::number},
      {"INSTALL_NVIDIA_GPU_DRIVERS", Shape::flag},
      {"INSTALL_AMD_GPU_DRIVERS", Shape::flag},
      {"IS_MAAS", Shape::flag},
      {"MAAS_IMAGE_NAME", Shape::file_name},
      {"REGION"},
      {"S3_BUCKET"},
      {"S3_KEY"},
      {"PE_VERSION", Shape::tag},
      {"KAIROS_VERSION"},
      {"K3S_PROVIDER_VERSION"},
      {"RKE2_PROVIDER_VERSION"},
      {"KUBEADM_PROVIDER_VERSION"},
      {"NODEADM_PROVIDER_VERSION"},
      {"CANONICAL_PROVIDER_VERSION"},
      {"K3S_FLAVOR_TAG", Shape::tag},
      {"RKE2_FLAVOR_TAG", Shape::tag},
      {"SPECTRO_PUB_REPO", Shape::registry},
      {"KAIROS_BASE_IMAGE_URL"}};
  return kParameters;
}

const Parameter* find_parameter(std::string_view name) {
  const auto& all = known_parameters();
  const auto found = std::find_if(all.begin(), all.end(), [name](const Parameter& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string_view> versions_of(std::string_view os_distribution) {
  if (os_distribution == "debian") return {"12", "13", "bookworm", "trixie"};
  if (os_distribution == "ubuntu") return {"20", "22", "20.04", "22.04", "24.04"};
  if (os_distribution == "opensuse-leap") return {"15.6"};
  if (os_distribution == "sles") return {"5.4"};
  return {};
}

std::optional<Objection> object_to(const Parameter& parameter, const std::string& value) {
  switch (parameter.shape) {
    case Shape::flag:
      return object_to_choice({"true", "false"}, value);
    case Shape::choice:
      return object_to_choice(parameter.choices, value);
    case Shape::number:
      if (!value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
      }
      return Objection{"is no whole number", ""};
    case Shape::registry:
      return object_to_registry(value);
    case Shape::repository:
      return object_to_repository(value);
    case Shape::tag:
      return object_to_tag(value);
    case Shape::file_name:
      return object_to_file_name(value);
    case Shape::text:
    case Shape::file:
      break;
  }
  return std::nullopt;
}

}  // namespace ingot::edge
