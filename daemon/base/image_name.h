#pragma once

#include <string>

namespace ingot::base {

// An image's name as engines keep it: one without a tag means the tag "latest". "" stays.
inline std::string with_tag(const std::string& name) {
  const bool has_tag = name.find_first_of(":@", name.rfind('/') + 1) != std::string::npos;
  return name.empty() || has_tag ? name : name + ":latest";
}

}  // namespace ingot::base
