#include <algorithm>

#include "daemon/earthfile/language.h"

namespace ingot::earthfile {

const std::vector<FeatureInfo>& features() {
  static const std::vector<FeatureInfo> kFeatures = {
      {"exec-after-parallel", 5},
      {"parallel-load", 5},
      {"use-registry-for-with-docker", 5},
      {"for-in", 6},
      {"no-implicit-ignore", 6},
      {"referenced-save-only", 6},
      {"require-force-for-unsafe-saves", 6},
      {"use-copy-include-patterns", 6},
      {"check-duplicate-images", 7},
      {"ci-arg", 7},
      {"earthly-git-author-args", 7},
      {"earthly-locally-arg", 7},
      {"earthly-version-arg", 7},
      {"explicit-global", 7},
      {"git-branch", 7},
      {"git-commit-author-timestamp", 7},
      {"new-platform", 7},
      {"no-tar-build-output", 7},
      {"save-artifact-keep-own", 7},
      {"shell-out-anywhere", 7},
      {"use-cache-command", 7},
      {"use-chmod", 7},
      {"use-copy-link", 7},
      {"use-host-command", 7},
      {"use-no-manifest-list", 7},
      {"use-pipelines", 7},
      {"use-project-secrets", 7},
      {"wait-block", 7},
      {"arg-scope-and-set", 8},
      {"cache-persist-option", 8},
      {"git-refs", 8},
      {"global-cache", 8},
      {"no-network", 8},
      {"pass-args", 8},
      {"use-docker-ignore", 8},
      {"use-function-keyword", 8},
      {"use-visited-upfront-hash-collection", 8},
      {"allow-privileged-from-dockerfile", 0},
      {"allow-without-earthly-labels", 0},
      {"build-auto-skip", 0},
      {"docker-cache", 0},
      {"earthly-ci-runner-arg", 0},
      {"git-author-email-name-args", 0},
      {"no-use-registry-for-with-docker", 0},
      {"raw-output", 0},
      {"run-with-aws", 0},
      {"run-with-aws-oidc", 0},
      {"try", 0},
      {"wildcard-builds", 0},
      {"wildcard-copy", 0},
  };
  return kFeatures;
}

const FeatureInfo* find_feature(std::string_view name) {
  const auto& all = features();
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& row) { return row.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> feature_flags() {
  std::vector<std::string> flags;
  for (const auto& feature : features()) flags.push_back("--" + std::string(feature.name));
  return flags;
}

std::string how_to_get(std::string_view feature) {
  const FeatureInfo* info = find_feature(feature);
  const std::string flag = "VERSION --" + std::string(feature);
  if (info == nullptr || info->since_minor == 0) return "needs " + flag;
  return "needs VERSION 0." + std::to_string(info->since_minor) + ", or " + flag;
}

}  // namespace ingot::earthfile
