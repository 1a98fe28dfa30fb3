#include "daemon/base/git_directory.h"

#include <algorithm>

#include "daemon/base/strings.h"

namespace ingot::base {

bool leads_into_git(std::string_view path) {
  const auto parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), [](const auto& part) { return to_lower(part) == ".git"; });
}

}  // namespace ingot::base
