#include "daemon/image/source.h"

#include <array>
#include <utility>

namespace ingot::image {

namespace {

constexpr std::array<std::pair<const char*, Source>, 5> kSources = {{{"bootstrap", fetch_by_bootstrap},
                                                                     {"oci-layout", fetch_from_oci_layout},
                                                                     {"oci-archive", fetch_from_archive},
                                                                     {"docker-archive", fetch_from_archive},
                                                                     {"registry", fetch_from_registry}}};

}  // namespace

Source find_source(const std::string& kind) {
  for (const auto& [name, source] : kSources) {
    if (kind == name) return source;
  }
  return nullptr;
}

const std::vector<std::string>& source_kinds() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    names.reserve(std::size(kSources));
    for (const auto& [name, source] : kSources) names.emplace_back(name);
    return names;
  }();
  return kNames;
}

std::string Fetch::option(const std::string& name, const std::string& fallback) const {
  auto found = rule.options.find(name);
  std::string value = found == rule.options.end() ? fallback : found->second;
  for (const auto& [placeholder, text] :
       {std::pair<std::string, std::string>{"{name}", reference.familiar_name()}, {"{tag}", reference.tag}}) {
    for (std::size_t at = value.find(placeholder); at != std::string::npos;
         at = value.find(placeholder, at + text.size())) {
      value.replace(at, placeholder.size(), text);
    }
  }
  return value;
}

}  // namespace ingot::image
