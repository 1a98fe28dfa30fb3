#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/base/result.h"

namespace ingot::store {

using ExtendedAttributes = std::vector<std::pair<std::string, std::string>>;

// All extended attributes of an open file, sorted. `path` is for messages.
Result<ExtendedAttributes> extended_attributes(int fd, const std::string& path);

// Those that count when trees are compared: not what overlayfs notes of where a copied-up file came from, which is
// different in every copy.
Result<ExtendedAttributes> tree_attributes(int fd, const std::string& path);

// Those that go along with a copy: not what belongs to the place where the file is, overlayfs' own marks and a host's
// labels.
Result<ExtendedAttributes> attributes_to_copy(int fd, const std::string& path);

}  // namespace ingot::store
