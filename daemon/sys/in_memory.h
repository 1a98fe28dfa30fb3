#pragma once

#include "daemon/sys/files.h"

namespace ingot::sys {

// Whether what is written there stays in memory (tmpfs, ramfs). A path that is not there yet is looked at where it
// would be made.
bool is_in_memory(const fs::path& path);

// A core dump of this process would hold what it knows: it leaves none, whatever the host's limits and handlers are.
// Nor do programs that it runs, unless they ask for one.
void refuse_core_dumps();

}  // namespace ingot::sys
