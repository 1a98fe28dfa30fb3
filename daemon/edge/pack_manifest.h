#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

// What a cluster profile says of its operating system, derived from provider images that were really built.
namespace ingot::edge {

// REGISTRY/REPOSITORY:KUBERNETES-VERSION-PE_VERSION[-CUSTOM_TAG]
struct ProviderImage {
  std::string registry;
  std::string repository;
  std::string kubernetes;  // "k3s"
  std::string kubernetes_version;
  std::string pe_version;
  std::string custom_tag;  // may be empty
  std::string os_name;     // empty: not known
  std::string os_version;  // empty: not known
};

// Where an image says what it is: ARGs that nobody has to guess from its name.
inline constexpr const char* kOsAnnotation = "org.ingot.edge.os";
inline constexpr const char* kOsVersionAnnotation = "org.ingot.edge.os-version";
inline constexpr const char* kCustomTagAnnotation = "org.ingot.edge.custom-tag";

using Pairs = std::map<std::string, std::string>;

// The image of this name, with its manifest's annotations, or none when its name is no provider image's. Images of
// other projects have no annotations of ours: then what the job's parameters say counts.
std::optional<ProviderImage> provider_image(const std::string& name, const Pairs& annotations, const Pairs& args);

// As a pack's values take it; empty without images. The Kubernetes version is the profile's, so that images which
// differ in nothing else have one manifest; for others there is one more, as a further YAML document.
std::string pack_manifest(const std::vector<ProviderImage>& images);

}  // namespace ingot::edge
