#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::base {

// The patterns of an .earthlyignore or a .dockerignore: dockerignore's syntax, the last pattern that matches decides,
// `!` brings back.
class IgnoreRules {
 public:
  static IgnoreRules parse(std::string_view text);
  // The patterns of such a file as they are seen from above its directory, a line each.
  static std::vector<std::string> lines_below(std::string_view text, const std::string& directory);

  bool ignores(const std::string& path) const;  // relative to the directory of the file
  // Whether a directory that is ignored must be entered all the same: a `!` pattern may bring back what is in it.
  bool may_bring_back_below(const std::string& directory) const;
  bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    std::vector<std::string> parts;
    bool negated = false;
  };
  static bool matches(const Rule& rule, const std::vector<std::string>& path);
  std::vector<Rule> rules_;
};

}  // namespace ingot::base
