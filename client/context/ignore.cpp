#include "client/context/ignore.h"

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using Parts = std::vector<std::string>;

// Whether `pattern` from index p on matches a beginning of `path` from index t on that ends at a whole part: what lies
// below an ignored directory is ignored with it. `**` stands for any number of parts.
bool match_from(const Parts& pattern, std::size_t p, const Parts& path, std::size_t t) {
  if (p == pattern.size()) return true;
  if (pattern[p] == "**") {
    if (p + 1 == pattern.size()) return t < path.size();
    for (std::size_t skip = t; skip <= path.size(); ++skip) {
      if (match_from(pattern, p + 1, path, skip)) return true;
    }
    return false;
  }
  return t < path.size() && base::glob_match(pattern[p], path[t]) && match_from(pattern, p + 1, path, t + 1);
}

// `**` inside of a part crosses directories: "a**b" is "a*b" here, and "a*" with "*b" anywhere below.
std::vector<Parts> spread(const Parts& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t at = parts[i].find("**");
    if (at == std::string::npos || parts[i] == "**") continue;
    const std::size_t behind = parts[i].find_first_not_of('*', at);
    const std::string before = parts[i].substr(0, at) + "*";
    const std::string after = behind == std::string::npos ? "" : parts[i].substr(behind);
    Parts here = parts;
    here[i] = before + after;
    std::vector<Parts> all = spread(here);
    Parts below = parts;
    below[i] = before;
    below.insert(below.begin() + static_cast<std::ptrdiff_t>(i) + 1, {"**", "*" + after});
    for (auto& more : spread(below)) all.push_back(std::move(more));
    return all;
  }
  return {parts};
}

}  // namespace

IgnoreRules IgnoreRules::parse(std::string_view text) {
  IgnoreRules rules;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  for (const auto& line : base::split(text, '\n')) {
    std::string_view pattern = base::trim(line);
    if (pattern.empty() || line.front() == '#') continue;
    const bool negated = pattern.front() == '!';
    if (negated) pattern = base::trim(pattern.substr(1));
    Parts parts;
    for (const auto& part : base::split(pattern, '/')) {
      if (part == ".." && !parts.empty())
        parts.pop_back();
      else if (!part.empty() && part != "." && part != "..")
        parts.push_back(part);
    }
    if (parts.empty()) continue;
    for (auto& one : spread(parts)) rules.rules_.push_back({std::move(one), negated});
  }
  return rules;
}

bool IgnoreRules::matches(const Rule& rule, const Parts& path) {
  return match_from(rule.parts, 0, path, 0);
}

bool IgnoreRules::ignores(const std::string& path) const {
  const Parts parts = base::split(path, '/');
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (matches(*rule, parts)) return !rule->negated;
  }
  return false;
}

bool IgnoreRules::may_bring_back_below(const std::string& directory) const {
  const Parts parts = base::split(directory, '/');
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    if (!rule.negated) return false;
    for (std::size_t i = 0; i < parts.size() && i < rule.parts.size(); ++i) {
      if (rule.parts[i] == "**") return true;
      if (!base::glob_match(rule.parts[i], parts[i])) return false;
    }
    return true;
  });
}

}  // namespace ingot::client
