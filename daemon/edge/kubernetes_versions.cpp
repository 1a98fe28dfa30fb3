#include "daemon/edge/kubernetes_versions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/text/fail_at.h"
#include "daemon/text/source.h"

namespace ingot::edge {

Result<KubernetesVersions> parse_kubernetes_versions(std::string_view text, const std::string& file_name) {
  const text::Source source(text, file_name);
  nlohmann::json body;
  try {
    body = nlohmann::json::parse(source.text());
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t at = error.byte == 0 ? 0 : error.byte - 1;
    return text::fail_at({&source, std::min(at, source.text().size())}, ErrorKind::syntax, "this is no JSON",
                         R"(such as {"k3s": ["1.32.3"]})");
  }
  constexpr const char* kShape =
      R"(it is an object with a list of versions for each distribution: {"k3s": ["1.32.3"]})";
  const text::Place top{&source, 0};
  if (!body.is_object())
    return text::fail_at(top, ErrorKind::invalid, "this is no list of Kubernetes versions", kShape);
  KubernetesVersions versions;
  for (const auto& [distribution, list] : body.items()) {
    if (!list.is_array()) {
      return text::fail_at(top, ErrorKind::invalid, "\"" + distribution + "\" has no list of versions", kShape);
    }
    auto& of_this = versions[distribution];
    for (const auto& version : list) {
      if (!version.is_string()) {
        return text::fail_at(top, ErrorKind::invalid, "a version of \"" + distribution + "\" is no text", kShape);
      }
      of_this.push_back(version.get<std::string>());
    }
  }
  return versions;
}

}  // namespace ingot::edge
