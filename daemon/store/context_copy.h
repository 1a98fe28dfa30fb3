#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/store/context_tree.h"
#include "daemon/store/layer_links.h"
#include "daemon/sys/rooted.h"

namespace ingot::store {

// What a COPY takes of the context, under which names and with what of its metadata the copy has: equal for two
// contexts of which it takes the same. Fails where the COPY would for want of a source.
Result<base::Digest> selection_digest(const graph::CopyOp& op, const ContextTree& context);

// The same file by file: a path that names it, and all of it that counts. Nothing when a source is missing.
std::vector<std::pair<std::string, std::string>> selected_files(const graph::CopyOp& op, const ContextTree& context);

// COPY: puts what `op` selects of the context into `root`, the step's mounted file system. Large files are noted with
// `links`, if there are any, and are there once those are made.
Status copy_from_context(const graph::CopyOp& op, const ContextTree& context, const BlobStore& blobs,
                         const sys::RootedDir& root, LayerLinks* links = nullptr);

}  // namespace ingot::store
