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
  if (children_may_look && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) return;
  // One byte, unlike none at all, also binds handlers that read dumps from a pipe.
  const rlimit one{1, 1};
  setrlimit(RLIMIT_CORE, &one);
}

}  // namespace ingot::sys
