#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::client {

// The patterns of an .earthlyignore: dockerignore's syntax, the last pattern that matches decides, `!` brings back.
class IgnoreRules {
 public:
  static IgnoreRules parse(std::string_view text);

  bool ignores(const std::string& path) const;  // relative to the project
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

}  // namespace ingot::client
