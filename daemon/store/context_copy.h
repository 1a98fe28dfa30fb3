#pragma once

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/sys/rooted.h"
#include "proto/types.h"

namespace ingot::store {

// COPY without --keep-ts gives every file this time (2020-04-16T12:00:00Z), so that a checkout's age changes nothing.
inline constexpr std::int64_t kCopyTimeSeconds = 1'587'038'400;

// COPY: puts what `op` selects of the context into `root`, the step's mounted file system.
Status copy_from_context(const graph::CopyOp& op, const proto::ContextManifest& context, const BlobStore& blobs,
                         const sys::RootedDir& root);

}  // namespace ingot::store
