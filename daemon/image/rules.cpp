#include "daemon/image/rules.h"

#include <array>

#include "daemon/base/glob.h"

namespace ingot::image {

namespace {

// "docker.io/library/debian:*" as "debian:*".
std::string familiar_pattern(std::string pattern) {
  constexpr std::array<std::string_view, 3> kImplied = {"index.docker.io/", "docker.io/", "library/"};
  for (std::string_view implied : kImplied) {
    if (pattern.starts_with(implied)) pattern.erase(0, implied.size());
  }
  return pattern;
}

}  // namespace

std::vector<SourceRule> default_rules() {
  return {{"debian:*", "bootstrap", {}}, {"ubuntu:*", "bootstrap", {}}, {"*", "registry", {}}};
}

bool matches(const SourceRule& rule, const Reference& reference) {
  // A lone "*" means everything, slashes included.
  if (rule.match == "*") return true;
  const std::string pattern = familiar_pattern(rule.match);
  const std::string name = reference.familiar_name();
  if (base::glob_match(pattern, reference.familiar()) || base::glob_match(pattern, name)) return true;
  if (!reference.tag.empty() && base::glob_match(pattern, name + ":" + reference.tag)) return true;
  // "registry.example/*" covers every depth below.
  return pattern.ends_with("/*") && name.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::vector<SourceRule> matching_rules(const std::vector<SourceRule>& rules, const Reference& reference) {
  std::vector<SourceRule> matching;
  for (const auto& rule : rules) {
    if (matches(rule, reference)) matching.push_back(rule);
  }
  return matching;
}

std::string key_of(const std::vector<SourceRule>& tried, const Reference& reference, const base::Platform& platform) {
  std::string key = reference.full();
  if (const std::string foreign = base::foreign_platform(platform); !foreign.empty()) key += " " + foreign;
  for (const auto& rule : tried) {
    key += "\n" + rule.kind;
    for (const auto& [name, value] : rule.options) key += "\t" + name + "=" + value;
  }
  return key;
}

}  // namespace ingot::image
