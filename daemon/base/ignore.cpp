#include "daemon/base/ignore.h"

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

using Parts = std::vector<std::string>;

// Whether `pattern` matches a beginning of `path` that ends at a whole part: what lies below an ignored directory is
// ignored with it. `**` stands for any number of parts; as with glob_match, one place to come back to is enough.
bool matches_beginning(const Parts& pattern, const Parts& path) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t retry_p = 0;  // behind the last `**`; 0: there was none
  std::size_t retry_t = 0;
  while (p < pattern.size()) {
    if (pattern[p] == "**") {
      if (p + 1 == pattern.size()) return t < path.size();
      retry_p = ++p;
      retry_t = t;
    } else if (t < path.size() && glob_match(pattern[p], path[t])) {
      ++p;
      ++t;
    } else {
      if (retry_p == 0 || retry_t >= path.size()) return false;
      t = ++retry_t;
      p = retry_p;
    }
  }
  return true;
}

// `**` inside of a part crosses directories: "a**b" is "a*b" here, and "a*" with "*b" anywhere below. Each makes two of
// one, so of very many the last do not cross.
std::vector<Parts> spread(const Parts& parts, int left = 4) {
  if (left == 0) return {parts};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t at = parts[i].find("**");
    if (at == std::string::npos || parts[i] == "**") continue;
    const std::size_t behind = parts[i].find_first_not_of('*', at);
    const std::string before = parts[i].substr(0, at) + "*";
    const std::string after = behind == std::string::npos ? "" : parts[i].substr(behind);
    Parts here = parts;
    here[i] = before + after;
    std::vector<Parts> all = spread(here, left - 1);
    Parts below = parts;
    below[i] = before;
    below.insert(below.begin() + static_cast<std::ptrdiff_t>(i) + 1, {"**", "*" + after});
    for (auto& more : spread(below, left - 1)) all.push_back(std::move(more));
    return all;
  }
  return {parts};
}

template <typename Take>
void for_each_pattern(std::string_view text, Take take) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  for (const auto& line : split(text, '\n')) {
    std::string_view pattern = trim(line);
    if (pattern.empty() || line.front() == '#') continue;
    const bool negated = pattern.front() == '!';
    if (negated) pattern = trim(pattern.substr(1));
    if (!pattern.empty()) take(pattern, negated);
  }
}

}  // namespace

std::vector<std::string> IgnoreRules::lines_below(std::string_view text, const std::string& directory) {
  std::string prefix;
  for (char c : directory) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) prefix += '\\';
    prefix += c;
  }
  if (!prefix.empty()) prefix += '/';
  std::vector<std::string> lines;
  for_each_pattern(text, [&](std::string_view pattern, bool negated) {
    lines.push_back((negated ? "!" : "") + prefix + std::string(pattern));
  });
  return lines;
}

IgnoreRules IgnoreRules::parse(std::string_view text) {
  IgnoreRules rules;
  for_each_pattern(text, [&](std::string_view pattern, bool negated) {
    Parts parts;
    for (const auto& part : split(pattern, '/')) {
      if (part == ".." && !parts.empty())
        parts.pop_back();
      else if (!part.empty() && part != "." && part != "..")
        parts.push_back(part);
    }
    if (parts.empty()) return;
    for (auto& one : spread(parts)) rules.rules_.push_back({std::move(one), negated});
  });
  return rules;
}

bool IgnoreRules::matches(const Rule& rule, const Parts& path) {
  return matches_beginning(rule.parts, path);
}

bool IgnoreRules::ignores(const std::string& path) const {
  const Parts parts = split(path, '/');
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (matches(*rule, parts)) return !rule->negated;
  }
  return false;
}

bool IgnoreRules::may_bring_back_below(const std::string& directory) const {
  const Parts parts = split(directory, '/');
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    if (!rule.negated) return false;
    for (std::size_t i = 0; i < parts.size() && i < rule.parts.size(); ++i) {
      if (rule.parts[i] == "**") return true;
      if (!glob_match(rule.parts[i], parts[i])) return false;
    }
    return true;
  });
}

}  // namespace ingot::base
