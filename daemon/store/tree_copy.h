#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/layer_links.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// COPY from another target, and SAVE ARTIFACT for such a COPY: puts what `op` selects of the mounted file system `from`
// into `root`. `command` is how messages call it. What need not be copied is noted with `links`, if there are any.
Status copy_from_tree(const std::string& command, const graph::CopyOp& op, const sys::RootedDir& from,
                      const sys::RootedDir& root, LayerLinks* links, const sys::CancelToken& cancel);

// Whether such a COPY takes the same of two file systems.
Result<bool> same_selection(const graph::CopyOp& op, const sys::RootedDir& one, const sys::RootedDir& other);

}  // namespace ingot::store
