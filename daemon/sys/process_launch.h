#pragma once

#include <sys/types.h>

#include "daemon/base/result.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/process.h"

namespace ingot::sys {

// A child that has passed exec. Whoever holds it must reap `pid`.
struct Launched {
  pid_t pid = 0;
  UniqueFd pidfd;  // readable once it has ended
  UniqueFd out;    // the pipes' reading ends; they do not block
  UniqueFd err;
};

// Starts the command's program; an error of exec itself is reported here, and leaves no process behind. The child
// gets SIGKILL from the kernel when the calling *thread* ends, so that thread must outlive it.
Result<Launched> launch(const Command& command);

}  // namespace ingot::sys
