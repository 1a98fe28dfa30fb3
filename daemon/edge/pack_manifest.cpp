#include "daemon/edge/pack_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include "daemon/base/strings.h"
#include "daemon/edge/parameters.h"

namespace ingot::edge {

namespace {

std::string value_of(const Pairs& pairs, const std::string& name) {
  const auto found = pairs.find(name);
  return found == pairs.end() ? std::string() : found->second;
}

// "1.32.3" of "1.32.3-v4.4.12-demo"; empty when no version stands there.
std::string leading_version(std::string_view text) {
  const std::string_view version = text.substr(0, text.find('-'));
  const auto is_part = [](char c) { return c == '.' || (c >= '0' && c <= '9'); };
  const bool is_version = version.find('.') != std::string_view::npos &&
                          std::all_of(version.begin(), version.end(), is_part) && version.size() < text.size();
  return is_version ? std::string(version) : std::string();
}

// What stands behind the Kubernetes version: PE_VERSION, and CUSTOM_TAG behind a dash. Both may have dashes, so it
// takes to know one of them; where nobody says, the first dash divides.
void divide_tag(const std::string& tag, const std::optional<std::string>& custom_tag, ProviderImage& image) {
  std::size_t dash = tag.find('-');
  if (custom_tag) {
    const std::string end = "-" + *custom_tag;
    dash = !custom_tag->empty() && tag.ends_with(end) ? tag.size() - end.size() : std::string::npos;
  }
  image.pe_version = tag.substr(0, dash);
  if (dash != std::string::npos) image.custom_tag = tag.substr(dash + 1);
}

// Of Kubernetes, that a tag begins with: "kubeadm-fips" rather than "kubeadm". Empty: it begins with none.
std::string_view leading_distribution(std::string_view tag) {
  std::string_view longest;
  for (const std::string_view each : find_parameter("K8S_DISTRIBUTION")->choices) {
    const bool is_it = tag.starts_with(each) && tag.substr(each.size()).starts_with('-');
    if (is_it && each.size() > longest.size()) longest = each;
  }
  return longest;
}

// Whether every reader of YAML takes it for this text, or for a whole number such as 12: a version such as 22.10 would
// be the number 22.1, and 2024-10-01 a day.
bool is_plain(const std::string& value) {
  static const std::set<std::string> kWords = {"y",  "n",   "yes",  "no",  "true", "false",
                                               "on", "off", "null", "nan", "inf"};
  constexpr std::size_t kMostDigits = 6;  // more become 1.5e+07 on some ways
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto is_of_a_name = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("._/@+-:").find(static_cast<char>(c)) != std::string_view::npos;
  };
  std::string lower = value;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (value.back() == ':' || kWords.contains(lower) || !std::all_of(value.begin(), value.end(), is_of_a_name))
    return false;
  if (std::isalpha(static_cast<unsigned char>(value.front())) != 0) return true;
  const bool is_number = std::all_of(value.begin(), value.end(), is_digit);
  if (is_number) return value.front() != '0' && value.size() <= kMostDigits;
  // No number and no time has two dots: a version, or an address.
  return is_digit(static_cast<unsigned char>(value.front())) && std::count(value.begin(), value.end(), '.') > 1;
}

std::string scalar(const std::string& value) {
  if (is_plain(value)) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string option_of(std::string_view name) {
  return fmt::format("{{{{ .spectro.pack.edge-native-byoi.options.system.{} }}}}", name);
}

constexpr std::string_view kHead =
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
)";

std::string manifest_of(const ProviderImage& image) {
  std::string uri = fmt::format("{}/{}:{}-{{{{ .spectro.system.kubernetes.version }}}}-{}", option_of("registry"),
                                option_of("repo"), option_of("k8sDistribution"), option_of("peVersion"));
  if (!image.custom_tag.empty()) uri += "-" + option_of("customTag");
  std::string text(kHead);
  text += fmt::format("  system.uri: \"{}\"\n\n", uri);
  const auto line = [&text](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  system.{}: {}\n", name, scalar(value));
  };
  line("registry", image.registry);
  line("repo", image.repository);
  line("k8sDistribution", image.kubernetes);
  line("osName", image.os_name);
  line("peVersion", image.pe_version);
  line("customTag", image.custom_tag);
  line("osVersion", image.os_version);
  return text;
}

}  // namespace

std::optional<ProviderImage> provider_image(const std::string& name, const Pairs& annotations, const Pairs& args) {
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string::npos ? 0 : slash);
  if (slash == std::string::npos || colon == std::string::npos) return std::nullopt;
  ProviderImage image;
  image.registry = name.substr(0, slash);
  image.repository = name.substr(slash + 1, colon - slash - 1);
  std::string tag = name.substr(colon + 1);
  image.kubernetes = leading_distribution(tag);
  if (image.kubernetes.empty()) return std::nullopt;
  tag.erase(0, image.kubernetes.size() + 1);
  image.kubernetes_version = leading_version(tag);
  if (image.kubernetes_version.empty()) return std::nullopt;
  tag.erase(0, image.kubernetes_version.size() + 1);

  std::optional<std::string> custom_tag;
  for (const auto& [pairs, key] : {std::pair{&annotations, kCustomTagAnnotation}, std::pair{&args, "CUSTOM_TAG"}}) {
    if (const auto found = pairs->find(key); !custom_tag && found != pairs->end()) custom_tag = found->second;
  }
  divide_tag(tag, custom_tag, image);
  image.os_name = value_of(annotations, kOsAnnotation);
  if (image.os_name.empty()) image.os_name = value_of(args, "OS_DISTRIBUTION");
  image.os_version = value_of(annotations, kOsVersionAnnotation);
  if (image.os_version.empty()) image.os_version = value_of(args, "OS_VERSION");
  return image;
}

std::string pack_manifest(const std::vector<ProviderImage>& images) {
  std::vector<std::string> documents;
  for (const auto& image : images) {
    std::string document = manifest_of(image);
    if (std::find(documents.begin(), documents.end(), document) == documents.end()) {
      documents.push_back(std::move(document));
    }
  }
  return base::join(documents, "---\n");
}

}  // namespace ingot::edge
