#pragma once

#include "daemon/sys/files.h"

namespace ingot::store {

// Makes a directory's whole content survive a power cut. A few files are synced one by one, many by one sync of their
// file system, which then also waits for what others write there.
Status sync_tree(const sys::fs::path& tree);

}  // namespace ingot::store
