#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"

namespace ingot::sys {

struct Command {
  std::vector<std::string> argv;                        // argv[0] is looked up on PATH
  std::optional<std::vector<std::string>> environment;  // "K=V"; unset: the daemon's own
  std::string directory;                                // empty: the daemon's own
  std::optional<std::chrono::milliseconds> timeout;
  // What is asked before a kill: SIGTERM, then this long, then SIGKILL to the whole process group.
  std::chrono::milliseconds grace{0};
};

struct ExitStatus {
  int code = 0;    // 128 + signal when a signal ended it, as shells say
  int signal = 0;  // 0: it exited by itself
  bool timed_out = false;
  bool canceled = false;
  bool ok() const { return code == 0 && !timed_out && !canceled; }
};

enum class Stream { out, err };
// Called on the thread that called run(), as bytes come; chunks end anywhere.
using OutputSink = std::function<void(Stream, std::string_view)>;

// The only way in which the daemon starts a program; a fake stands in for it in unit tests.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // Blocks until the program has ended and its output is drained. An error is one of starting it (not found,
  // not executable); how it ended is in the status. Output after the end by a grandchild that kept the pipe
  // is not awaited.
  virtual Result<ExitStatus> run(const Command& command, const OutputSink& sink, const CancelToken& cancel) = 0;
};

// Real processes: stdin is /dev/null, descriptors from 3 up are closed, a session of its own, killed as a
// group, and killed by the kernel when the daemon dies.
ProcessRunner& system_processes();

struct Captured {
  ExitStatus status;
  std::string out;
  std::string err;
};
// For small outputs; each stream is cut at 1 MiB.
Result<Captured> capture(ProcessRunner& runner, const Command& command, const CancelToken& cancel = {});

}  // namespace ingot::sys
