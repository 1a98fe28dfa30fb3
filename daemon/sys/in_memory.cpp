#include "daemon/sys/in_memory.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace ingot::sys {

bool is_in_memory(const fs::path& path) {
  struct statfs status {};
  fs::path existing = path;
  while (statfs(existing.c_str(), &status) != 0) {
    if (errno != ENOENT || !existing.has_relative_path()) return false;
    existing = existing.parent_path();
  }
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

void refuse_core_dumps() {
  // Children that execute a program are not bound by it. What they look up below /proc/<our id> is then open only to
  // those who may trace us.
  const bool children_may_look = geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 1;
  const bool refused = children_may_look && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
  // Children may be told secrets too: an OCI runtime reads those of its step. One byte, unlike none at all, also binds
  // handlers that read dumps from a pipe. Who wants dumps may raise it, unless it is all that binds this process.
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = 1;
  if (!refused || limit.rlim_max < 1) limit.rlim_max = 1;
  if (setrlimit(RLIMIT_CORE, &limit) == 0) return;
  limit = {0, 0};
  setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace ingot::sys
