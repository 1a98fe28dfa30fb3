#include "daemon/sys/in_memory.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ingot::sys {
namespace {

TEST(InMemory, tells_memory_from_disks) {
  EXPECT_FALSE(is_in_memory("/proc"));
  EXPECT_FALSE(is_in_memory(""));
  EXPECT_FALSE(is_in_memory("relative/none"));
  if (!is_in_memory("/dev/shm")) GTEST_SKIP() << "/dev/shm is not in memory";
  EXPECT_TRUE(is_in_memory("/dev/shm/not/there/yet"));
}

TEST(CoreDumps, are_refused) {
  const pid_t child = fork();
  if (child == 0) {
    refuse_core_dumps();
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    if (prctl(PR_GET_DUMPABLE) != 0 && limit.rlim_max != 1) _exit(1);
    _exit(limit.rlim_cur == 1 ? 0 : 2);  // what programs inherit that it runs
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ingot::sys
