#pragma once

#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/store/tree_digest.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// Whether two trees have the same at these paths, by what tree_digest counts. It ends at the first difference, and does
// not read a file that is one and the same in both: layers share most of theirs.
Result<bool> same_trees(const sys::RootedDir& one, const sys::RootedDir& other, const std::vector<std::string>& paths,
                        const TreeDigestOptions& options);

}  // namespace ingot::store
