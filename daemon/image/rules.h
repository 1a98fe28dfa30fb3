#pragma once

#include <string>
#include <vector>

#include "daemon/image/images.h"
#include "daemon/image/reference.h"

namespace ingot::image {

// Whether a rule is for this name. It may be written as people write names or in full; without a tag it is for all.
bool matches(const SourceRule& rule, const Reference& reference);

std::vector<SourceRule> matching_rules(const std::vector<SourceRule>& rules, const Reference& reference);

// What an image is kept and found by: its name, its platform where that is not the host's, the rule that it came by,
// and those that were tried before it. An image that came by the second rule is found without asking the first one's
// source again, until that rule is changed.
std::string key_of(const std::vector<SourceRule>& tried, const Reference& reference,
                   const base::Platform& platform = base::native_platform());

}  // namespace ingot::image
