#pragma once

#include <string>

#include "daemon/base/digest.h"
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

// What such a COPY takes: equal for two file systems of which it takes the same.
Result<base::Digest> selection_digest(const graph::CopyOp& op, const sys::RootedDir& from);

}  // namespace ingot::store
